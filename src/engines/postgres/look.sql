-- Answers queries in one snapshot, and without a lock. Null when something is to be done first, which reading
-- cannot do: there are sessions that have expired, or no boot has been yet.
create or replace function read(queries text[]) returns text stable language plpgsql as $$
declare
  state live;
  answers text[] := '{}';
begin
  select * into state from live;
  if not found or state.due <= clock_timestamp() then return null; end if;
  for i in 1 .. array_length(queries, 1) loop
    answers := answers || look(queries, i);
  end loop;
  return concat('["', state.revision, '",[', array_to_string(answers, ','), ']]');
end $$;

-- What a query finds: [entries, sessions or null]. Its operands are the key from which and the one up to
-- which to look, the limit, whether to go by age, and whether to list the sessions.
create or replace function look(queries text[], place int) returns text stable language plpgsql as $$
declare
  low text := queries[place][2];
  high text := queries[place][3];
  most bigint := queries[place][4];
  entries text;
  sessions text;
begin
  if queries[place][5]::boolean then
    select string_agg(told, ',') into entries from (
      select told from entry where key >= low and key < high order by created, key limit most
    ) as first;
  else
    select string_agg(told, ',') into entries from (
      select told from entry where key >= low and key < high order by key limit most
    ) as first;
  end if;
  if queries[place][6]::boolean then
    select coalesce(json_agg(json_build_array(
      id, label, ttl_ms, extract(epoch from expires_at - clock_timestamp()) * 1000
    )), '[]') into sessions
    from session;
  end if;
  return concat('[[', entries, '],', coalesce(sessions, 'null'), ']');
end $$;
