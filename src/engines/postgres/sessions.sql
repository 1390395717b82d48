-- The life of sessions, by the clock of the server.

create or replace function milliseconds_until(moment timestamptz) returns float8 language sql as $$
  select ceil(extract(epoch from moment - clock_timestamp()) * 1000)::float8
$$;

create or replace function open_session(ours text, label text, ttl float8) returns float8
language plpgsql as $$
declare
  state live;
  expiry timestamptz := clock_timestamp() + ttl * interval '1 ms';
begin
  -- A clock that was set back must not make the quiet longer than it was at first.
  update live set quiet_until = least(quiet_until, clock_timestamp() + longest_ttl_ms * interval '1 ms')
  where quiet_until > clock_timestamp()
  returning * into state;
  if not found then select * into state from live; end if;
  if state.quiet_until > clock_timestamp() then return milliseconds_until(state.quiet_until); end if;
  insert into session values (ours, label, ttl, expiry);
  update live set due = least(due, expiry), longest_ttl_ms = greatest(longest_ttl_ms, ttl);
  if ttl > state.longest_ttl_ms then
    -- Known on disk before anybody relies on the session: see boot.
    perform flush_at_commit();
    update installation set longest_ttl_ms = ttl;
  end if;
  return 0;
end $$;

-- Ends what has expired. All keys of all sessions that expired vanish in one commit. Gives the revision that
-- is the latest then.
create or replace function reap(latest bigint) returns bigint language plpgsql as $$
declare
  ended text[];
begin
  with gone as (delete from session where expires_at <= clock_timestamp() returning id)
  select array_agg(id) into ended from gone;
  with gone as (delete from listener where expires_at <= clock_timestamp() returning client)
  delete from interest where client in (select client from gone);
  return unbind(ended, latest);
end $$;

-- Deletes what is bound to sessions that are over. And looks anew what is the next to expire, and for how
-- long a session can live at most: after a crash, that is the time for which no other is opened.
create or replace function unbind(ended text[], latest bigint) returns bigint language plpgsql as $$
declare
  keys text[];
  state live;
begin
  with gone as (delete from bound where session = any (ended) returning key)
  select array_agg(key) into keys from gone;
  if keys is not null then
    latest := latest + 1;
    perform announce(latest, keys, null, null);
  end if;
  update live set
    due = least(
      (select min(expires_at) from session),
      (select min(expires_at) from listener),
      clock_timestamp() + interval '1 hour'
    ),
    heard = exists (select from listener),
    longest_ttl_ms = case
      when quiet_until > clock_timestamp() then longest_ttl_ms
      else coalesce((select max(ttl_ms) from session), 0)
    end
  returning * into state;
  update installation set longest_ttl_ms = state.longest_ttl_ms where longest_ttl_ms <> state.longest_ttl_ms;
  return latest;
end $$;
