-- A look. ARGV[2..4] is the query: kind, name, limit.
settle(unpack(call('HMGET', entries, '\1', '\2')))
prove_master()
return answer(0, ARGV[2], ARGV[3], ARGV[4])
