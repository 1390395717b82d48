-- The life of sessions, by the clock of the server.

create or replace function open_session(request jsonb) returns text language plpgsql as $$
declare
  state live;
  ttl float8 := (request ->> 'ttlMs')::float8;
  expiry timestamptz := clock_timestamp() + ttl * interval '1 ms';
begin
  -- A clock that was set back must not make the quiet longer than it was at first.
  update live set quiet_until = least(quiet_until, clock_timestamp() + longest_ttl_ms * interval '1 ms')
  where quiet_until > clock_timestamp()
  returning * into state;
  if not found then select * into state from live; end if;
  if state.quiet_until > clock_timestamp() then
    return ceil(extract(epoch from state.quiet_until - clock_timestamp()) * 1000);
  end if;
  insert into session values (request ->> 'open', request ->> 'label', ttl, expiry);
  update live set due = least(due, expiry), longest_ttl_ms = greatest(longest_ttl_ms, ttl);
  if ttl > state.longest_ttl_ms then
    -- Known on disk before anybody relies on the session: see boot.
    perform flush_at_commit();
    update installation set longest_ttl_ms = ttl;
  end if;
  return '0';
end $$;

create or replace function renew_session(ours text) returns text language plpgsql as $$
begin
  update session set expires_at = clock_timestamp() + ttl_ms * interval '1 ms' where id = ours;
  return found::text;
end $$;

create or replace function end_session(ours text) returns text language plpgsql as $$
begin
  delete from session where id = ours;
  if not found then return 'false'; end if;
  perform unbind(array[ours]);
  perform survey();
  return 'true';
end $$;

-- Ends what has expired. All keys of all sessions that expired vanish in one commit.
create or replace function reap() returns void language plpgsql as $$
declare
  ended text[];
begin
  with gone as (delete from session where expires_at <= clock_timestamp() returning id)
  select array_agg(id) into ended from gone;
  if ended is not null then perform unbind(ended); end if;
  with gone as (delete from listener where expires_at <= clock_timestamp() returning client)
  delete from interest where client in (select client from gone);
  perform survey();
end $$;

create or replace function unbind(ended text[]) returns void language plpgsql as $$
declare
  keys text[];
begin
  with gone as (delete from bound where session = any (ended) returning key)
  select array_agg(key) into keys from gone;
  if keys is null then return; end if;
  perform advance(keys, array(select json_build_array(key)::text from unnest(keys) as key));
end $$;

-- Looks anew what is the next to expire, and for how long a session can live at most: after a crash, that is
-- the time for which no other is opened.
create or replace function survey() returns void language plpgsql as $$
declare
  state live;
begin
  update live set
    due = least(
      coalesce((select min(expires_at) from session), 'infinity'),
      coalesce((select min(expires_at) from listener), 'infinity')
    ),
    heard = exists (select from listener),
    longest_ttl_ms = case
      when quiet_until > clock_timestamp() then longest_ttl_ms
      else coalesce((select max(ttl_ms) from session), 0)
    end
  returning * into state;
  update installation set longest_ttl_ms = state.longest_ttl_ms where longest_ttl_ms <> state.longest_ttl_ms;
end $$;
