"""What the band plays as notes: put in their place in the groove, heard or not, and sent out as MIDI."""
