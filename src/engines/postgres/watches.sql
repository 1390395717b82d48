-- Who wants to hear of what. It is written down under the same lock as commits: whoever holds that lock next
-- finds it, and whoever held it before has committed, and is in what is read here. So nothing is missed.

create or replace function listen(request jsonb) returns text language plpgsql as $$
declare
  expiry timestamptz := clock_timestamp() + interval '1 minute';
begin
  -- Who is known already is kept known by its pulse.
  insert into listener values (request ->> 'listen', expiry) on conflict do nothing;
  if found then update live set heard = true, due = least(due, expiry); end if;
  for i in 0 .. jsonb_array_length(request -> 'to') - 1 loop
    insert into interest
      values ((request -> 'to' -> i ->> 1)::boolean, request -> 'to' -> i ->> 0, request ->> 'listen')
      on conflict do nothing;
  end loop;
  return until_due();
end $$;

create or replace function deafen(request jsonb) returns text language plpgsql as $$
begin
  delete from interest
    where exact = (request ->> 'exact')::boolean and prefix = request ->> 'prefix'
    and client = request ->> 'deafen';
  return 'true';
end $$;

-- Tells each client that wants to hear of one of the keys what the commit did; or where that is too long for
-- a notification, that it did something. Postgres sends one that is the same as another only once.
create or replace function announce(revision bigint, keys text[], events text[]) returns void
language plpgsql as $$
declare
  told text := '["' || revision || '",[' || array_to_string(events, ',') || ']]';
  target text;
begin
  if octet_length(told) > 7900 then told := '["' || revision || '",null]'; end if;
  for target in
    select client from interest where exact and prefix = any (keys)
    union all
    select client from interest where not exact
    and exists (select from unnest(keys) as key where starts_with(key, prefix))
  loop
    perform pg_notify('lockstep_' || target, told);
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
