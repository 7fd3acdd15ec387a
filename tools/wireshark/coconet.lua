-- Wireshark and tshark: the clear headers of Coconet's packets (docs/spec/01-wire.md and 02-handshake.md).
--
-- What is encrypted stays so: there is no key log, and headers are all that anybody on the way sees. Any bytes are fine:
-- what does not follow the specification is marked as malformed, as far as it can be shown at all.

local coconet = Proto('coconet', 'Coconet')

local DEFAULT_PORT = 28620

local INITIATION, RESPONSE, FINISH, RETRY, COOKIE, DATA = 0, 1, 2, 3, 4, 5
local RESET, RELAY, REFUSAL, VERSION_REFUSAL, BEACON, CHECK_IN = 6, 7, 8, 9, 10, 11

local KINDS = {
  [INITIATION] = 'initiation',
  [RESPONSE] = 'response',
  [FINISH] = 'finish',
  [RETRY] = 'retry',
  [COOKIE] = 'cookie',
  [DATA] = 'data',
  [RESET] = 'reset',
  [RELAY] = 'relay',
  [REFUSAL] = 'refusal',
  [VERSION_REFUSAL] = 'versionRefusal',
  [BEACON] = 'beacon',
  [CHECK_IN] = 'checkIn',
}

-- The fewest and the most bytes of a packet of each kind; no upper end: what UDP carries. Kinds that are not here have no
-- packets yet.
local LENGTHS = {
  [INITIATION] = { 152, 1500 },
  [RESPONSE] = { 76, 1500 },
  [RETRY] = { 40, 40 },
  [COOKIE] = { 64, 64 },
  [DATA] = { 26 },
  [RESET] = { 21, 21 },
  [RELAY] = { 6 },
  [REFUSAL] = { 50, 210 },
  [VERSION_REFUSAL] = { 8, 8 },
}

local MAC, TAG, EPHEMERAL, STATIC = 16, 16, 32, 48

coconet.prefs.port =
  Pref.uint('UDP port', DEFAULT_PORT, 'The port of an NMN. Packets on other ports are known by their looks.')
coconet.prefs.guess_data = Pref.bool(
  'Guess data packets',
  true,
  'Takes a datagram on any port for a data packet if its first byte and its length fit. Handshakes are always known.'
)

local f = {
  kind = ProtoField.uint8('coconet.kind', 'Kind', base.DEC, KINDS, 0x3c),
  flags = ProtoField.uint8('coconet.flags', 'Flags', base.HEX, nil, 0x03),
  key_phase = ProtoField.uint8('coconet.key_phase', 'Key phase', base.DEC, nil, 0x01),
  version = ProtoField.uint8('coconet.version', 'Version', base.DEC),
  highest = ProtoField.uint8('coconet.highest_version', 'Highest version', base.DEC),
  lowest = ProtoField.uint8('coconet.lowest_version', 'Lowest version', base.DEC),
  reserved = ProtoField.bytes('coconet.reserved', 'Reserved'),
  sender = ProtoField.uint32('coconet.sender_index', 'Sender index', base.HEX),
  receiver = ProtoField.uint32('coconet.receiver_index', 'Receiver index', base.HEX),
  number = ProtoField.uint32('coconet.packet_number', 'Packet number, low 32 bits', base.DEC),
  channel = ProtoField.uint32('coconet.channel', 'Relay channel', base.HEX),
  nonce = ProtoField.bytes('coconet.nonce', 'Nonce'),
  ephemeral = ProtoField.bytes('coconet.ephemeral', 'Ephemeral public key'),
  static = ProtoField.bytes('coconet.static', 'Static public key, encrypted'),
  sealed = ProtoField.bytes('coconet.sealed', 'Encrypted'),
  tag = ProtoField.bytes('coconet.tag', 'Tag'),
  mac = ProtoField.bytes('coconet.mac', 'MAC'),
  mac1 = ProtoField.bytes('coconet.mac1', 'mac1'),
  mac2 = ProtoField.bytes('coconet.mac2', 'mac2'),
  token = ProtoField.bytes('coconet.token', 'Reset token'),
  session = ProtoField.string('coconet.session', 'Session'),
  rest = ProtoField.bytes('coconet.rest', 'Rest'),
}
coconet.fields = f

local malformed =
  ProtoExpert.new('coconet.malformed', 'Malformed packet', expert.group.MALFORMED, expert.severity.ERROR)
coconet.experts = { malformed }

-- Which session a receiver index belongs to: the indices of initiator and responder, as qlog files name it too. An index is
-- random; where it is used a second time, the later session has it.
local sessions = {}

function coconet.init()
  sessions = {}
end

local function hex(value)
  return string.format('%08x', value)
end

local function kind_of(byte)
  if byte < 0xc0 then return nil end
  return bit.rshift(bit.band(byte, 0x3c), 2)
end

-- Whether so many bytes are a packet of that kind.
local function fits(kind, length)
  local range = LENGTHS[kind]
  return range ~= nil and length >= range[1] and (range[2] == nil or length <= range[2])
end

-- Reads fields one after the other, and never beyond the end.
local function reader(tvb, tree)
  local at, last = 0, tvb:len()
  local self = {}

  function self.left()
    return last - at
  end

  -- The next bytes as a field; a number if they are four.
  function self.take(field, length)
    if length <= 0 or at + length > last then return nil end
    local range = tvb(at, length)
    tree:add(field, range)
    at = at + length
    if length == 4 then return range:uint() end
    return nil
  end

  -- All bytes but so many at the end.
  function self.take_until(field, tail)
    return self.take(field, last - at - tail)
  end

  return self
end

local function version_and_reserved(read)
  read.take(f.version, 1)
  read.take(f.reserved, 2)
end

local function note_session(tree, index)
  local name = index and sessions[index]
  if name then tree:add(f.session, name):set_generated() end
  return name
end

local dissect_packet

local BODIES = {
  [INITIATION] = function(read)
    version_and_reserved(read)
    local sender = read.take(f.sender, 4)
    read.take(f.nonce, 16)
    read.take(f.ephemeral, EPHEMERAL)
    read.take(f.static, STATIC)
    read.take_until(f.sealed, 2 * MAC)
    read.take(f.mac1, MAC)
    read.take(f.mac2, MAC)
    return sender and 'from ' .. hex(sender)
  end,

  [RESPONSE] = function(read, tree)
    version_and_reserved(read)
    local sender = read.take(f.sender, 4)
    local receiver = read.take(f.receiver, 4)
    if sender and receiver then
      local name = hex(receiver) .. '-' .. hex(sender)
      sessions[sender] = name
      sessions[receiver] = name
      note_session(tree, receiver)
    end
    read.take(f.ephemeral, EPHEMERAL)
    read.take_until(f.sealed, MAC)
    read.take(f.mac1, MAC)
    return sender and receiver and 'from ' .. hex(sender) .. ' to ' .. hex(receiver)
  end,

  [RETRY] = function(read)
    version_and_reserved(read)
    local receiver = read.take(f.receiver, 4)
    read.take(f.nonce, 16)
    read.take(f.mac, MAC)
    return receiver and 'to ' .. hex(receiver)
  end,

  [COOKIE] = function(read)
    version_and_reserved(read)
    local receiver = read.take(f.receiver, 4)
    read.take(f.nonce, 24)
    read.take_until(f.sealed, TAG)
    read.take(f.tag, TAG)
    return receiver and 'to ' .. hex(receiver)
  end,

  [DATA] = function(read, tree)
    local receiver = read.take(f.receiver, 4)
    local number = read.take(f.number, 4)
    note_session(tree, receiver)
    read.take_until(f.sealed, TAG)
    read.take(f.tag, TAG)
    return receiver and number and 'to ' .. hex(receiver) .. ' number …' .. string.format('%.0f', number)
  end,

  [RESET] = function(read, tree)
    local receiver = read.take(f.receiver, 4)
    note_session(tree, receiver)
    read.take(f.token, 16)
    return receiver and 'to ' .. hex(receiver)
  end,

  [REFUSAL] = function(read)
    version_and_reserved(read)
    local receiver = read.take(f.receiver, 4)
    read.take(f.nonce, 24)
    read.take_until(f.sealed, TAG)
    read.take(f.tag, TAG)
    return receiver and 'to ' .. hex(receiver)
  end,

  [VERSION_REFUSAL] = function(read)
    read.take(f.highest, 1)
    read.take(f.lowest, 1)
    read.take(f.reserved, 1)
    local receiver = read.take(f.receiver, 4)
    return receiver and 'to ' .. hex(receiver)
  end,
}

-- Shows one packet; `nested`: it came inside a relay packet. Returns a line about it.
function dissect_packet(tvb, tree, nested)
  local kind = kind_of(tvb(0, 1):uint())
  local branch = tree:add(coconet, tvb(), nested and 'Coconet, relayed' or 'Coconet')
  local function wrong(text)
    branch:add_proto_expert_info(malformed, text)
  end
  if kind == nil then
    wrong('The first byte is none of ours')
    return 'malformed'
  end
  local name = KINDS[kind] or ('kind ' .. kind)
  branch:append_text(', ' .. name)
  branch:add(f.kind, tvb(0, 1))
  branch:add(f.flags, tvb(0, 1))
  if kind == DATA then branch:add(f.key_phase, tvb(0, 1)) end
  if LENGTHS[kind] == nil then
    if tvb:len() > 1 then branch:add(f.rest, tvb(1)) end
    return name
  end
  -- A capture may hold less of a packet than there was: then its end is not where it seems to be.
  local is_whole = tvb:reported_len() == tvb:len()
  if is_whole and not fits(kind, tvb:len()) then wrong('A packet of this kind has another length') end
  if tvb:len() < 2 then return name end

  local body = tvb(1):tvb()
  if kind == RELAY then
    local read = reader(body, branch)
    local channel = read.take(f.channel, 4)
    if channel == nil or read.left() == 0 then return name end
    local inside = tvb(5):tvb()
    if nested then
      wrong('A relay packet inside of a relay packet')
      branch:add(f.rest, tvb(5))
      return name
    end
    local text = dissect_packet(inside, branch, true)
    return name .. ' ' .. hex(channel) .. ' [' .. text .. ']'
  end
  local read = reader(body, branch)
  if not is_whole or not fits(kind, tvb:len()) then
    read.take_until(f.rest, 0)
    return name
  end
  local text = BODIES[kind](read, branch)
  return text and (name .. ' ' .. text) or name
end

function coconet.dissector(tvb, pinfo, tree)
  -- STUN, DTLS and TURN may share the socket: their first bytes are below, and their own dissectors know them.
  if tvb:len() < 1 or kind_of(tvb(0, 1):uint()) == nil then return 0 end
  pinfo.cols.protocol = 'Coconet'
  pinfo.cols.info = dissect_packet(tvb, tree, false)
  return tvb:len()
end

-- Whether a datagram on any port looks like a packet of a handshake.
local function looks_like_handshake(tvb, kind)
  if not fits(kind, tvb:len()) or tvb:len() < 8 then return false end
  if bit.band(tvb(0, 1):uint(), 0x03) ~= 0 then return false end
  if kind == VERSION_REFUSAL then
    return tvb(3, 1):uint() == 0 and tvb(1, 1):uint() >= tvb(2, 1):uint() and tvb(2, 1):uint() > 0
  end
  -- QUIC's long headers have a zero where the version is, and versions of ours begin with 1.
  return tvb(1, 1):uint() == 1 and tvb(2, 2):uint() == 0
end

local HANDSHAKE = {
  [INITIATION] = true,
  [RESPONSE] = true,
  [RETRY] = true,
  [COOKIE] = true,
  [REFUSAL] = true,
  [VERSION_REFUSAL] = true,
}

local function looks_like_data(tvb)
  local first = tvb(0, 1):uint()
  return (first == 0xd4 or first == 0xd5) and fits(DATA, tvb:len()) and tvb(1, 4):uint() ~= 1
end

local function heuristic(tvb, pinfo, tree)
  if tvb:len() < 8 then return false end
  local kind = kind_of(tvb(0, 1):uint())
  if kind == nil then return false end
  if HANDSHAKE[kind] then
    if not looks_like_handshake(tvb, kind) then return false end
    -- Whatever follows between the two is ours, or returns to the others by itself.
    pinfo.conversation = coconet
  elseif kind == RELAY then
    if tvb:len() < 13 or tvb(0, 1):uint() ~= 0xdc then return false end
    local inside = tvb(5):tvb()
    local nested = kind_of(inside(0, 1):uint())
    local known = nested ~= nil and HANDSHAKE[nested] and looks_like_handshake(inside, nested)
    if not known and not (coconet.prefs.guess_data and looks_like_data(inside)) then return false end
  elseif not (coconet.prefs.guess_data and kind == DATA and looks_like_data(tvb)) then
    return false
  end
  coconet.dissector(tvb, pinfo, tree)
  return true
end

coconet:register_heuristic('udp', heuristic)

local ports = DissectorTable.get('udp.port')
local port = coconet.prefs.port
ports:add(port, coconet)

function coconet.prefs_changed()
  if port == coconet.prefs.port then return end
  ports:remove(port, coconet)
  port = coconet.prefs.port
  ports:add(port, coconet)
end
