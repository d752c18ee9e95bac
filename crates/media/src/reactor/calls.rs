//! Calls: the microphone to the agent, the agent's voice and texts to the caller, the end.

use std::time::{Duration, Instant};

use audio::jitter::{JitterBuffer, JitterStats, RtpPacket};
use audio::leg::{EndReason, FromCaller, ToCaller};

use super::state::{Call, Goodbye, Purpose};
use super::transport::TRANSPORT_INTERVAL;
use super::{Deadline, RETRY, Reactor};
use crate::agent_line::{AgentLine, Delivery};
use crate::commands::{CallKey, LegKey, NewCall, NewLeg};
use crate::peer::OutgoingAudio;
use crate::playout::{Playout, Position, Step, VoiceFrame};
use crate::sdp::Role;
use crate::texts::Texts;

/// How long a call outlives the agent's hang-up so that its last texts arrive.
const GOODBYE_GRACE: Duration = Duration::from_secs(1);

impl Reactor {
    pub(super) fn open_call(&mut self, new: NewCall, now: Instant) {
        let call = Call {
            id: new.id,
            role: new.role,
            agent: AgentLine::new(new.to_agent),
            has_mail: false,
            caller: new.leg.key,
            listeners: Vec::new(),
            audience: Vec::new(),
            jitter: JitterBuffer::new(),
            counted: JitterStats::default(),
            duplicates_counted: 0,
            playout: Playout::default(),
            texts: Texts::default(),
            goodbye: None,
            transport_due: now + TRANSPORT_INTERVAL,
        };
        self.net.counters.calls.add(1);
        tracing::debug!(session = call.id, role = ?call.role, "call opened");
        self.calls.insert(new.key, call);
        self.add_leg(new.leg, new.key, Purpose::Caller, now);
    }

    pub(super) fn add_listener(&mut self, key: CallKey, id: String, leg: NewLeg, now: Instant) {
        // A call that has ended in the meantime took its directory entry with it.
        let Some(call) = self.calls.get_mut(&key) else { return };
        call.listeners.push(leg.key);
        self.net.counters.listeners.add(1);
        self.add_leg(leg, key, Purpose::Listener { id }, now);
    }

    pub(super) fn close_listener(&mut self, key: CallKey, id: &str, now: Instant) {
        if let Some(leg) = self.find_leg(key, Some(id)) {
            self.remove_listener(key, leg, now);
        }
    }

    pub(super) fn remove_listener(&mut self, key: CallKey, leg_key: LegKey, now: Instant) {
        let Some(call) = self.calls.get_mut(&key) else { return };
        call.listeners.retain(|listener| *listener != leg_key);
        call.audience.retain(|listener| *listener != leg_key);
        if let Some(Purpose::Listener { id }) = self.legs.get(&leg_key).map(|leg| &leg.purpose) {
            self.directory.remove_listener(&call.id, id);
            self.net.counters.listeners.subtract(1);
        }
        self.close_leg(leg_key, now);
    }

    pub(super) fn pass_to_caller(&mut self, key: CallKey, message: ToCaller, now: Instant) {
        let Some(call) = self.calls.get_mut(&key) else { return };
        match message {
            ToCaller::Voice { clip, payload } => {
                if call.playout.push(clip, &payload, now).is_err() {
                    self.net.counters.voice_dropped.add(1);
                }
                // Voice comes in bursts of which one frame at most is due.
                return self.schedule_call(key, now);
            }
            ToCaller::EndOfClip(clip) => call.playout.end_clip(clip),
            ToCaller::Flush => call.playout.flush(now),
            ToCaller::Hold => call.playout.hold(now),
            ToCaller::Resume => call.playout.resume(),
            ToCaller::Message(text) => self.queue_text(key, text),
            ToCaller::Keep(_) => {}
            ToCaller::Hangup => call.goodbye = Some(Goodbye { until: now + GOODBYE_GRACE }),
        }
        self.serve_call(key, now);
    }

    /// Does what is due for a call.
    pub(super) fn serve_call(&mut self, key: CallKey, now: Instant) {
        self.play(key, now);
        self.flush_texts(key, now);
        self.tell_transport_in_time(key, now);
        if self.is_to_end(key, now) {
            self.end_call(key, EndReason::AgentHangup, now);
        } else {
            self.post(key);
        }
    }

    /// Sees to it that the agent is handed what there is for it, and the call's next deadline set, in this round.
    pub(super) fn post(&mut self, key: CallKey) {
        if let Some(call) = self.calls.get_mut(&key)
            && !std::mem::replace(&mut call.has_mail, true)
        {
            self.mail.push(key);
        }
    }

    /// Hands everything over at once: agents that were woken one by one would each cost a system call.
    pub(super) fn deliver_mail(&mut self) {
        let now = Instant::now();
        let mut mail = std::mem::take(&mut self.mail);
        for key in mail.drain(..) {
            self.hand_over(key, now);
            self.schedule_call(key, now);
        }
        self.mail = mail;
    }

    pub(super) fn schedule_call(&mut self, key: CallKey, now: Instant) {
        let Some(call) = self.calls.get(&key) else { return };
        let has_news = call.goodbye.is_some() || !call.texts.is_empty() && self.has_channel(call.caller);
        let retry = (has_news || call.agent.is_waiting()).then(|| now + RETRY);
        let abandoned = call.agent.is_abandoned().then_some(now);
        let jitter = call.jitter.deadline_us().map(|at| self.started + Duration::from_micros(at));
        let transport = Some(call.transport_due);
        let next = [retry, abandoned, jitter, call.playout.next_deadline(now), transport].into_iter().flatten().min();
        self.timers.set(Deadline::Call(key), next);
    }

    pub(super) fn take_audio(&mut self, key: CallKey, packet: RtpPacket, now: Instant) {
        let now_us = self.micros(now);
        let Some(call) = self.calls.get_mut(&key) else { return };
        if !call.role.speaks() {
            return;
        }
        call.jitter.push(packet, now_us);
    }

    pub(super) fn tell_agent(&mut self, key: CallKey, event: FromCaller) {
        let Some(call) = self.calls.get_mut(&key) else { return };
        if call.agent.tell(event) == Delivery::Dropped {
            self.net.counters.events_dropped.add(1);
        }
    }

    /// Ends a call, once: its legs are closed and its agent is told why.
    pub(super) fn end_call(&mut self, key: CallKey, reason: EndReason, now: Instant) {
        self.hand_over(key, now);
        self.tell_transport(key, now);
        let Some(mut call) = self.calls.remove(&key) else { return };
        self.close_leg(call.caller, now);
        self.net.counters.listeners.subtract(call.listeners.len() as u64);
        for listener in call.listeners {
            self.close_leg(listener, now);
        }
        self.timers.set(Deadline::Call(key), None);
        self.directory.remove_call(&call.id);
        self.net.counters.calls.subtract(1);
        tracing::debug!(session = call.id, ?reason, "call ended");
        call.agent.tell(FromCaller::Ended(reason));
        call.agent.deliver();
        if call.agent.is_waiting() {
            self.farewells.push(call.agent);
            self.timers.set(Deadline::Farewells, Some(now + RETRY));
        }
    }

    /// Hands the agent its events and the frames that are ready.
    fn hand_over(&mut self, key: CallKey, now: Instant) {
        let now_us = self.micros(now);
        let Some(call) = self.calls.get_mut(&key) else { return };
        call.has_mail = false;
        call.agent.deliver();
        let counters = &self.net.counters;
        while let Some(frame) = call.jitter.pop(now_us) {
            match call.agent.frame(frame) {
                Delivery::Taken => counters.frames_in.add(1),
                Delivery::Dropped => counters.frames_dropped.add(1),
            }
        }
        let stats = call.jitter.stats();
        counters.frames_lost.add(stats.lost - call.counted.lost);
        counters.frames_late.add(stats.late - call.counted.late);
        counters.frames_recovered.add(stats.recovered - call.counted.recovered);
        call.counted = stats;
    }

    fn play(&mut self, key: CallKey, now: Instant) {
        while let Some(step) = self.calls.get_mut(&key).and_then(|call| call.playout.poll(now)) {
            match step {
                Step::Frame(frame) => self.send_voice(key, &frame, now),
                Step::Mark(mark) => self.tell_agent(key, FromCaller::Playout(mark)),
            }
        }
    }

    fn send_voice(&mut self, key: CallKey, frame: &VoiceFrame, now: Instant) {
        self.net.counters.voice_out.add(1);
        let mut index = 0;
        // A leg that fails on the way leaves the audience, so the list is looked at afresh each time.
        while let Some(leg_key) = self.calls.get(&key).and_then(|call| call.audience.get(index).copied()) {
            if let Some(leg) = self.legs.get_mut(&leg_key) {
                leg.peer.write_audio(
                    OutgoingAudio {
                        rtp_time: frame.rtp_time,
                        marker: frame.position == Position::FirstAfterPause,
                        payload: frame.payload.clone(),
                    },
                    now,
                );
            }
            self.run_leg(leg_key, now);
            index += 1;
        }
    }

    fn queue_text(&mut self, key: CallKey, text: String) {
        let Some(call) = self.calls.get_mut(&key) else { return };
        // Only a two-way caller is sure to open a channel some day.
        let can_wait = call.role == Role::TwoWay || self.legs.get(&call.caller).is_some_and(|l| l.peer.has_channel());
        if !can_wait || call.texts.push(text).is_err() {
            self.net.counters.texts_dropped.add(1);
        }
    }

    fn flush_texts(&mut self, key: CallKey, now: Instant) {
        let Some(call) = self.calls.get_mut(&key) else { return };
        if call.texts.is_empty() {
            return;
        }
        let caller = call.caller;
        let Some(leg) = self.legs.get_mut(&caller) else { return };
        let refused = call.texts.flush(|text| leg.peer.write_text(text));
        self.net.counters.texts_dropped.add(refused);
        self.run_leg(caller, now);
    }

    /// Whether the agent is done with the call: gone, or its goodbye and all texts before it are out.
    fn is_to_end(&mut self, key: CallKey, now: Instant) -> bool {
        let Some(call) = self.calls.get(&key) else { return false };
        let Some(goodbye) = call.goodbye else { return call.agent.is_abandoned() };
        let is_sending = self.legs.get_mut(&call.caller).is_some_and(|leg| leg.peer.is_sending_text());
        goodbye.until <= now || call.texts.is_empty() && !is_sending
    }

    fn has_channel(&self, leg: LegKey) -> bool {
        self.legs.get(&leg).is_some_and(|leg| leg.peer.has_channel())
    }

    fn micros(&self, now: Instant) -> u64 {
        now.saturating_duration_since(self.started).as_micros() as u64
    }
}
