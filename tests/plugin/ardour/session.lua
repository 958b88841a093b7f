-- Makes a session for Ardour: a track with the band on it, a bus for each part. Arguments: its folder, its name.
local folder, name = arg[1], arg[2]
AudioEngine:set_backend("None (Dummy)", "", "")
Session = create_session(folder, name, 48000)
assert(Session, "no session")
local order, normal = ARDOUR.PresentationInfo.max_order, ARDOUR.TrackMode.Normal
local track
for one in Session:new_audio_track(2, 2, nil, 1, "Guitar", order, normal, true):iter() do track = one end
local band = ARDOUR.LuaAPI.new_plugin(Session, "urn:gigmate:band", ARDOUR.PluginType.LV2, "")
assert(not band:isnil(), "Ardour does not find the plug-in")
assert(track:add_processor_by_index(band, 0, nil, true) == 0)
-- With eight outputs Ardour puts a panner there that mixes neighbours: each output is to be what the plug-in plays on it.
track:panner_shell():set_bypassed(true)
for row, part in ipairs({"Drums", "Bass", "Keys"}) do
	Session:new_audio_route(2, 2, nil, 1, part, ARDOUR.PresentationInfo.Flag.AudioBus, order)
	for side = 1, 2 do
		assert(track:output():audio(2 * row + side - 1):connect(part .. "/audio_in " .. side) == 0)
	end
end
Session:save_state("")
close_session()
quit()
