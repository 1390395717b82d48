-- Tells each client that wants to hear of one of the keys what the commit did, which is what is there of them
-- now; and the oldest key from `low` up to `high`, if it is to show that. Or where that is too long for a
-- notification, that it did something.
create or replace function announce(revision bigint, keys text[], low text, high text) returns void
language plpgsql as $$
declare
  clients text[];
  events text;
  told text;
begin
  select array_agg(client) into clients from (
    select client from interest where exact and prefix = any (keys)
    union all
    select client from interest where not exact
    and exists (select from unnest(keys) as key where starts_with(key, prefix))
  ) as interested;
  if clients is null then return; end if;
  select string_agg(
    coalesce((select entry.told from entry where key = name), json_build_array(name)::text), ','
  ) into events
  from unnest(keys) as name;
  told := concat(
    '["', revision, '",[', events, '],',
    coalesce((
      select entry.told from entry where low is not null and key >= low and key < high
      order by created, key limit 1
    ), 'null'), ']'
  );
  if octet_length(told) > 7900 then told := concat('["', revision, '",[', events, '],null]'); end if;
  if octet_length(told) > 7900 then told := concat('["', revision, '",null,null]'); end if;
  perform pg_notify('lockstep_' || client, told) from unnest(clients) as client;
end $$;

-- The sign of life of a client that listens. Gives the milliseconds until something expires; null when the
-- client was forgotten.
create or replace function pulse(ours text) returns float8 language plpgsql as $$
begin
  update listener set expires_at = clock_timestamp() + interval '1 minute' where client = ours;
  if not found then return null; end if;
  return (select milliseconds_until(due) from live);
end $$;
