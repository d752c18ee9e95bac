//! WHIP, WHEP and two-way WebRTC calls over str0m: sockets, ICE, SDP, playout pacing.
