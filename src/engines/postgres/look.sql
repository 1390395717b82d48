-- Answers queries in one snapshot, and without a lock. Null when something is to be done first, which reading
-- cannot do: there are sessions that have expired, or no boot has been yet.
create or replace function read(queries jsonb) returns text stable language plpgsql
  set search_path from current
  set enable_seqscan = off
  set enable_bitmapscan = off
  set jit = off
  set plan_cache_mode = force_generic_plan
as $$
declare
  state live;
  answers text[] := '{}';
begin
  select * into state from live;
  if not found or state.due <= clock_timestamp() then return null; end if;
  for i in 0 .. jsonb_array_length(queries) - 1 loop
    answers := answers || look(queries -> i);
  end loop;
  return '["' || state.revision || '",[' || array_to_string(answers, ',') || ']]';
end $$;

-- What a query finds: [entries, sessions or null]. Everything from `prefix` up to `until` begins with it.
create or replace function look(query jsonb) returns text stable language plpgsql as $$
declare
  entries text;
  sessions text;
begin
  if query ? 'key' then
    select json_agg(json_build_array(
      key, encode(value, 'base64'), created::text, modified::text, session
    )) into entries
    from entry where key = query ->> 'key';
  elsif query ->> 'order' = 'created' then
    select json_agg(json_build_array(
      key, encode(value, 'base64'), created::text, modified::text, session
    )) into entries
    from (
      select * from entry where key >= query ->> 'prefix' and key < query ->> 'until'
      order by created, key limit (query ->> 'limit')::bigint
    ) as found;
  else
    select json_agg(json_build_array(
      key, encode(value, 'base64'), created::text, modified::text, session
    )) into entries
    from (
      select * from entry where key >= query ->> 'prefix' and key < query ->> 'until'
      order by key limit (query ->> 'limit')::bigint
    ) as found;
  end if;
  if (query ->> 'sessions')::boolean then
    select json_agg(json_build_array(
      id, label, ttl_ms, extract(epoch from expires_at - clock_timestamp()) * 1000
    )) into sessions
    from session;
  end if;
  return '[' || coalesce(entries, '[]') || ',' || case
    when (query ->> 'sessions')::boolean then coalesce(sessions, '[]') else 'null'
  end || ']';
end $$;
