-- Makes a list of requests, in its order, as one transaction. Each has an answer of its own:
--   a change          [index of the condition that failed, or -1; revision; what it reads, or null]
--   open              milliseconds to wait before it may be asked again; 0 when the session is open
--   renew, end        whether the session was alive
--   listen            [milliseconds until something expires; revision; what it reads, or null]
--   deafen            true
-- What is read is left out where it is long: while an answer is on its way to a client that does not take it,
-- nobody else can commit. The client reads it by itself then.
--
-- Plans are made once and for all, by index, whatever the tables held when they were made. Bitmaps would
-- never find out which entries of an index are dead.
create or replace function transact(requests jsonb) returns text language plpgsql
  set search_path from current
  set enable_seqscan = off
  set enable_bitmapscan = off
  set jit = off
  set plan_cache_mode = force_generic_plan
  set lock_timeout = '4s'
as $$
declare
  state live;
  request jsonb;
  failed int;
  changed text[];
  events text[];
  seen text;
  room int := 32768;
  answer text;
  answers text[] := '{}';
  -- Of the change at hand.
  conditions jsonb;
  writes jsonb;
  item jsonb;
  name text;
  owner text;
  content bytea;
  born bigint;
  written bigint;
  -- The key and the session that were found last to be absent, and to be alive.
  missing text;
  alive text;
begin
  -- Every statement from here on sees what the last owner of this lock has committed.
  select * into state from live for update;
  if not found then
    perform boot();
    select * into state from live for update;
  end if;
  if state.due <= clock_timestamp() then
    perform reap();
    select * into state from live;
  end if;
  for i in 0 .. jsonb_array_length(requests) - 1 loop
    request := requests -> i;
    seen := null;
    if request ? 'then' then
      conditions := request -> 'when';
      writes := request -> 'then';
      failed := -1;
      missing := null;
      alive := null;
      changed := '{}';
      events := '{}';
      for j in 0 .. jsonb_array_length(conditions) - 1 loop
        item := conditions -> j;
        if item ->> 'kind' = 'alive' then
          alive := item ->> 'session';
          continue when exists (select from session where id = alive);
        else
          name := item ->> 'key';
          select created, modified into born, written from entry where key = name;
          if item ->> 'kind' = 'absent' then
            missing := name;
            continue when not found;
          else
            continue when found
              and case item ->> 'kind' when 'created' then born else written end::text = item ->> 'revision';
          end if;
        end if;
        failed := j;
        exit;
      end loop;
      -- Unsaid, but no less a condition: nothing is bound to the dead.
      for j in 0 .. jsonb_array_length(writes) - 1 loop
        exit when failed >= 0;
        owner := writes -> j ->> 'session';
        continue when owner is null or owner = alive;
        alive := owner;
        if not exists (select from session where id = alive) then
          failed := jsonb_array_length(conditions) + j;
        end if;
      end loop;
      for j in 0 .. jsonb_array_length(writes) - 1 loop
        exit when failed >= 0;
        item := writes -> j;
        name := item ->> 'key';
        owner := item ->> 'session';
        content := decode(item ->> 'value', 'base64');
        if item ->> 'kind' = 'delete' then
          delete from bound where key = name;
          if not found then
            delete from kept where key = name;
            continue when not found;
          end if;
        elsif owner is null then
          delete from bound where key = name returning created into born;
          insert into kept values (name, content, coalesce(born, state.revision + 1), state.revision + 1)
            on conflict (key) do update set value = excluded.value, modified = excluded.modified
            returning created into born;
        elsif name = missing then
          born := state.revision + 1;
          insert into bound values (name, content, born, born, owner);
        else
          delete from kept where key = name returning created into born;
          insert into bound
            values (name, content, coalesce(born, state.revision + 1), state.revision + 1, owner)
            on conflict (key) do update
            set value = excluded.value, modified = excluded.modified, session = excluded.session
            returning created into born;
        end if;
        changed := changed || name;
        if not state.heard then
          continue;
        elsif item ->> 'kind' = 'delete' then
          events := events || json_build_array(name)::text;
        else
          events := events || json_build_array(name, item ->> 'value', born::text, owner)::text;
        end if;
      end loop;
      if cardinality(changed) > 0 then state.revision := advance(changed, events); end if;
      if request ? 'read' then seen := look(request -> 'read'); end if;
      if octet_length(seen) > room then seen := null; end if;
      answer := '[' || failed || ',"' || state.revision || '",' || coalesce(seen, 'null') || ']';
    elsif request ? 'listen' then
      answer := listen(request);
      select * into state from live;
      seen := look(request -> 'read');
      if octet_length(seen) > room then seen := null; end if;
      answer := '[' || answer || ',"' || state.revision || '",' || coalesce(seen, 'null') || ']';
    else
      answer := case
        when request ? 'renew' then renew_session(request ->> 'renew')
        when request ? 'open' then open_session(request)
        when request ? 'end' then end_session(request ->> 'end')
        when request ? 'deafen' then deafen(request)
      end;
      select * into state from live;
    end if;
    room := room - coalesce(octet_length(seen), 0);
    answers := answers || answer;
  end loop;
  return '[' || array_to_string(answers, ',') || ']';
end $$;

-- One commit, which changed these keys: takes the next revision, and tells those who listen of the events.
create or replace function advance(keys text[], events text[]) returns bigint language plpgsql as $$
declare
  state live;
begin
  update live set revision = live.revision + 1 returning * into state;
  if state.revision > state.ceiling then
    perform flush_at_commit();
    update installation set ceiling = state.revision + 1000000;
    update live set ceiling = state.revision + 1000000;
  end if;
  if state.heard then perform announce(state.revision, keys, events); end if;
  return state.revision;
end $$;
