-- Takes a list of steps, in their order, as one transaction. A step is a verb and its operands:
--   absent key · created key revision · modified key revision · alive session
--   put key value session · delete key · read: what `look` takes · show: the oldest key of a range, from · to
--   commit: ends a change. Its answer: [the place of the condition that failed among all of them, or -1; the
--     revision; what it reads, or null]
--   listen client prefix exact number · deafen client prefix exact number
--   listened: its answer: [milliseconds until something expires; the revision; what was read, or null]
--   open session label ttl: the milliseconds to wait before it may be asked again, 0 when it is open
--   renew session: whether it was alive · end session: true
-- What is read is left out where it is long: while an answer is on its way to a client that does not take it,
-- nobody else can commit. The client reads it by itself then.
--
-- Who listens is written down under the same lock as commits: whoever holds that lock next finds it, and
-- whoever held it before has committed, and is in what is read here. So nothing is missed.
--
-- As many revisions as there are `writers` are taken at first. Where fewer were needed, or more, that is put
-- right in the end. It is rare; so the usual change writes `live` only once.
create or replace function transact(steps text[], writers int) returns text language plpgsql as $$
declare
  state live;
  latest bigint;
  verb text;
  name text;
  room int := 32768;
  answers text[] := '{}';
  -- Of the change at hand.
  judged int := 0;
  failed int;
  changed text[] := '{}';
  seen text;
  low text;
  high text;
  -- Of the key at hand.
  born bigint;
  written bigint;
begin
  -- Every statement from here on sees what the last owner of this lock has committed.
  update live set revision = revision + writers returning * into state;
  if not found then
    perform boot();
    update live set revision = revision + writers returning * into state;
  end if;
  latest := state.revision - writers;
  if state.due <= clock_timestamp() then latest := reap(latest); end if;
  for i in 1 .. coalesce(array_length(steps, 1), 0) loop
    verb := steps[i][1];
    name := steps[i][2];
    continue when failed is not null and verb not in ('read', 'commit');
    case verb
    when 'commit', 'listened' then
      if cardinality(changed) > 0 then
        latest := latest + 1;
        if state.heard then perform announce(latest, changed, low, high); end if;
      end if;
      answers := answers || concat(
        '[', case verb when 'commit' then coalesce(failed, -1) else milliseconds_until(state.due) end,
        ',"', latest, '",', coalesce(seen, 'null'), ']'
      );
      judged := 0;
      failed := null;
      changed := '{}';
      seen := null;
      low := null;
    when 'read' then
      seen := look(steps, i);
      if octet_length(seen) > room then seen := null; end if;
      room := room - coalesce(octet_length(seen), 0);
    when 'listen' then
      -- Who is known already is kept known by its pulse.
      insert into listener values (name, clock_timestamp() + interval '1 minute') on conflict do nothing;
      if found then
        update live set heard = true, due = least(due, clock_timestamp() + interval '1 minute');
      end if;
      insert into interest as known values (steps[i][4]::boolean, steps[i][3], name, steps[i][5]::bigint)
        on conflict (exact, prefix, client) do update set number = greatest(known.number, excluded.number);
      state.heard := true;
    when 'deafen' then
      -- One that comes late is not about an interest that was taken since.
      delete from interest where client = name and prefix = steps[i][3] and exact = steps[i][4]::boolean
        and number = steps[i][5]::bigint;
    when 'show' then
      low := name;
      high := steps[i][3];
    when 'absent', 'created', 'modified' then
      select created, modified into born, written from entry where key = name;
      if steps[i][3] is distinct from (case verb when 'modified' then written else born end)::text then
        failed := judged;
      end if;
      judged := judged + 1;
    when 'alive' then
      if not exists (select from session where id = name) then failed := judged; end if;
      judged := judged + 1;
    when 'delete' then
      delete from bound where key = name;
      if not found then delete from kept where key = name; end if;
      if found then changed := changed || name; end if;
    when 'put' then
      if steps[i][4] is null then
        delete from bound where key = name returning created into born;
        insert into kept
          values (name, decode(steps[i][3], 'base64'), coalesce(born, latest + 1), latest + 1)
          on conflict (key) do update set value = excluded.value, modified = excluded.modified;
      else
        delete from kept where key = name returning created into born;
        insert into bound
          values (name, decode(steps[i][3], 'base64'), coalesce(born, latest + 1), latest + 1, steps[i][4])
          on conflict (key) do update
          set value = excluded.value, modified = excluded.modified, session = excluded.session;
      end if;
      changed := changed || name;
    when 'open' then
      answers := answers || open_session(name, steps[i][3], steps[i][4]::float8)::text;
    when 'renew' then
      update session set expires_at = clock_timestamp() + ttl_ms * interval '1 ms' where id = name;
      answers := answers || found::text;
    when 'end' then
      delete from session where id = name;
      if found then latest := unbind(array[name], latest); end if;
      answers := answers || 'true'::text;
    end case;
  end loop;
  if latest <> state.revision then update live set revision = latest; end if;
  if latest > state.ceiling then
    perform flush_at_commit();
    update installation set ceiling = latest + 1000000;
    update live set ceiling = latest + 1000000;
  end if;
  return '[' || array_to_string(answers, ',') || ']';
end $$;

-- The two changes that locks are made of, each in as few statements as can be, for all others wait so long.
-- Whatever is not as usual, since something is to be done first or to be refused, is left to `transact`.

-- Makes a key, which must be absent, for a session, which must be alive; and reads a range by age.
create or replace function take(name text, content text, owner text, low text, high text) returns text
language plpgsql as $$
declare
  latest bigint;
  is_heard boolean;
  seen text;
begin
  update live set revision = revision + 1 where due > clock_timestamp() and revision < ceiling
  returning revision, heard into latest, is_heard;
  if found then
    insert into bound
      select name, decode(content, 'base64'), latest, latest, id from session
      where id = owner and not exists (select from kept where key = name)
      on conflict do nothing;
    if found then
      if is_heard then perform announce(latest, array[name], null, null); end if;
      select string_agg(told, ',' order by created, key) into seen
      from entry where key >= low and key < high;
      return concat(
        '[[-1,"', latest, '",',
        case when octet_length(seen) <= 32768 then '[[' || seen || '],null]' else 'null' end, ']]'
      );
    end if;
    update live set revision = latest - 1;
  end if;
  return transact(array[
    ['absent', name, null, null, null, null],
    ['alive', owner, null, null, null, null],
    ['put', name, content, owner, null, null],
    ['read', low, high, null, 'true', 'false'],
    ['commit', null, null, null, null, null]
  ], 1);
end $$;

-- Deletes a key that is bound, and shows the oldest of a range to those who hear of it.
create or replace function give(name text, low text, high text) returns text language plpgsql as $$
declare
  latest bigint;
  is_heard boolean;
begin
  update live set revision = revision + 1 where due > clock_timestamp() and revision < ceiling
  returning revision, heard into latest, is_heard;
  if found then
    delete from bound where key = name;
    if found then
      if is_heard then perform announce(latest, array[name], low, high); end if;
      return concat('[[-1,"', latest, '",null]]');
    end if;
    update live set revision = latest - 1;
  end if;
  return transact(array[
    ['delete', name, null],
    ['show', low, high],
    ['commit', null, null]
  ], 1);
end $$;
