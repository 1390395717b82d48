-- What a namespace holds. Keys and ids are compared byte by byte, whatever the database's language is.
--
-- A crash empties the unlogged tables, and a standby never has what is in them. So all that hangs on a
-- session is in unlogged tables, which need no flush: after a crash, `boot` begins anew.

-- One row, and the only thing that a boot relies on.
create table if not exists installation (
  version int not null,
  -- Which server, and which of its timelines, the ceiling was written on.
  lineage text not null,
  -- No revision above it was ever handed out.
  ceiling bigint not null,
  -- No session that may still be alive was given longer to live.
  longest_ttl_ms float8 not null
);

-- The keys that are bound to no session.
create table if not exists kept (
  key text collate "C" primary key,
  value bytea not null,
  created bigint not null,
  modified bigint not null
) with (fillfactor = 80);

-- The keys that vanish with a session. A key is in one of the two tables at most.
create unlogged table if not exists bound (
  key text collate "C" primary key,
  value bytea not null,
  created bigint not null,
  modified bigint not null,
  session text collate "C" not null
) with (fillfactor = 80);
create index if not exists bound_session on bound (session);

-- All keys, and how each is told to a client.
create or replace view entry as
  select key, created, modified,
    json_build_array(key, encode(value, 'base64'), created::text, modified::text, session)::text as told
  from bound
  union all
  select key, created, modified,
    json_build_array(key, encode(value, 'base64'), created::text, modified::text, null)::text
  from kept;

create unlogged table if not exists session (
  id text collate "C" primary key,
  label text not null,
  ttl_ms float8 not null,
  expires_at timestamptz not null
) with (fillfactor = 50);

-- The clients that listen on a channel of their own, and what each wants to hear of.
create unlogged table if not exists listener (
  client text collate "C" primary key,
  expires_at timestamptz not null
) with (fillfactor = 50);

create unlogged table if not exists interest (
  exact boolean not null,
  prefix text collate "C" not null,
  client text collate "C" not null,
  -- Which of those that the client had in the same, one after the other.
  number bigint not null,
  primary key (exact, prefix, client)
);

-- One row, made by `boot`. Whoever has locked it makes the next commit; so revisions rise in commit order.
create unlogged table if not exists live (
  revision bigint not null,
  ceiling bigint not null,
  -- Nothing expires before this.
  due timestamptz not null,
  -- Until then a session from before the last crash may still think itself alive.
  quiet_until timestamptz not null,
  longest_ttl_ms float8 not null,
  -- Whether anybody listens.
  heard boolean not null
) with (fillfactor = 10);
