-- Begins anew after the installation, a crash, or the promotion of a standby: each leaves `live` without a
-- row.
--
-- No token is handed out twice. A revision is handed out only when its transaction is committed, and
-- `transact` raises the ceiling in the very transaction that goes beyond it, which is flushed before anybody
-- sees it. So after a crash, the ceiling on the disk is at least as high as every revision seen, and we go on
-- above it.
--
-- A promoted standby may have missed a raise. But its timeline is not the one that the ceiling was written
-- on, and then we go on in a new epoch, the bits from 48 on: above the epoch of the ceiling, which every
-- revision of the lost server had, and no lower than the timeline, which no server before had that this one
-- follows. Within its epoch it begins with the time of day, so that of two servers that were promoted side by
-- side the later one is above what the earlier one can have handed out. An epoch has room for 2^48 revisions;
-- the time in seconds, of which each has room for 65536, leaves half of them free.
--
-- And all sessions are gone, but their owners may not know it yet: each thinks itself alive for as long as it
-- was given at its last renewal, which was before now. So no session is opened for the longest of these
-- times.
create or replace function boot() returns void language plpgsql as $$
declare
  file text := pg_walfile_name(pg_current_wal_lsn());
  timeline bigint := ('x' || substr(file, 1, 8))::bit(32)::bigint;
  here text := (select system_identifier from pg_control_system()) || '/' || timeline;
  before installation;
  base bigint;
begin
  perform pg_advisory_xact_lock('live'::regclass::oid::bigint);
  -- Another may have done it while we waited.
  if exists (select from live) then return; end if;
  select * into before from installation;
  if before.lineage = here then
    base := before.ceiling;
  else
    base := greatest((before.ceiling >> 48) + 1, timeline) << 48;
    base := base + (extract(epoch from clock_timestamp())::bigint << 16);
  end if;
  update installation set lineage = here, ceiling = base;
  insert into live values (
    base, base, 'epoch',
    clock_timestamp() + before.longest_ttl_ms * interval '1 ms', before.longest_ttl_ms,
    false
  );
end $$;

-- The transaction is flushed before its outcome is told, also where the server is set to do so later.
create or replace function flush_at_commit() returns void language plpgsql as $$
begin
  if current_setting('synchronous_commit') = 'off' then
    perform set_config('synchronous_commit', 'local', true);
  end if;
end $$;
