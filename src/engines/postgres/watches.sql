-- Who wants to hear of what. It is written down under the same lock as commits: whoever holds that lock next
-- finds it, and whoever held it before has committed, and is in what is read here. So nothing is missed.

create or replace function listen(request jsonb) returns text language plpgsql as $$
declare
  expiry timestamptz := clock_timestamp() + interval '1 minute';
begin
  insert into listener values (request ->> 'listen', expiry)
    on conflict (client) do update set expires_at = excluded.expires_at;
  for i in 0 .. jsonb_array_length(request -> 'to') - 1 loop
    insert into interest
      values ((request -> 'to' -> i ->> 1)::boolean, request -> 'to' -> i ->> 0, request ->> 'listen')
      on conflict do nothing;
  end loop;
  update live set heard = true, due = least(due, expiry) where not heard or due > expiry;
  return until_due();
end $$;

create or replace function deafen(request jsonb) returns text language plpgsql as $$
begin
  delete from interest
    where exact = (request ->> 'exact')::boolean and prefix = request ->> 'prefix'
    and client = request ->> 'deafen';
  return 'true';
end $$;

-- Tells each client what happened to the keys that it wants to hear of: the events, or where they are too long
-- for a notification, that there are some.
create or replace function announce(revision bigint, keys text[]) returns void language plpgsql as $$
declare
  target text;
  told text;
begin
  for target, told in
    select wanted.client, json_agg(json_build_array(
      changed.key, encode(entry.value, 'base64'), entry.created::text, entry.modified::text, entry.session
    ))
    from unnest(keys) as changed (key)
    cross join lateral (
      select client from interest where exact and prefix = changed.key
      union
      select client from interest where not exact and starts_with(changed.key, prefix)
    ) as wanted
    left join entry on entry.key = changed.key
    group by wanted.client
  loop
    if octet_length(told) > 7900 then told := 'null'; end if;
    perform pg_notify('lockstep_' || target, '["' || revision || '",' || told || ']');
  end loop;
end $$;

-- The sign of life of a client that listens. Gives the milliseconds until something expires; null when the
-- client was forgotten.
create or replace function pulse(ours text) returns text language plpgsql
  set search_path from current
as $$
begin
  update listener set expires_at = clock_timestamp() + interval '1 minute' where client = ours;
  if not found then return null; end if;
  return until_due();
end $$;

create or replace function until_due() returns text stable language sql as $$
  select case
    when isfinite(due) then ceil(extract(epoch from due - clock_timestamp()) * 1000)::text
    else '60000'
  end
  from live
$$;
