package metrics

import (
	"fmt"
	"strings"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/telemodem/telemodem/gprs"
	"github.com/telemodem/telemodem/session"
)

var ofModem = []string{"modem"}

// stateNames are label values: they stay when the words of session.State change.
var stateNames = map[session.State]string{
	session.StateOpening: "opening", session.StateStarting: "starting", session.StateUnlocking: "unlocking",
	session.StateSearching: "searching", session.StateRegistered: "registered", session.StateRecovering: "recovering",
	session.StateFailed: "failed", session.StateClosed: "closed",
}

// rungNames are label values, too.
var rungNames = map[session.Rung]string{
	session.RungProbe: "probe", session.RungLeave: "leave", session.RungSetup: "setup", session.RungReopen: "reopen",
	session.RungSearch: "search", session.RungAttach: "attach", session.RungRadio: "radio",
	session.RungRestart: "restart", session.RungPower: "power",
}

type status = session.Status

// modemMetrics are of every session.
var modemMetrics = []metric[*status]{
	{describing("modem_state", "The state of the session: 1 for the one that it is in, 0 for the others.", []string{"modem", "state"}),
		prometheus.GaugeValue, readStates},
	gauge("modem_state_change_timestamp_seconds", "When the session went into its state, in seconds since 1970.", ofModem,
		func(s *status) float64 { return seconds(s.Since) }),
	flag("modem_registered", "Whether the network gives the modem its full service, at home or roaming.", ofModem,
		func(s *status) bool { return s.Registration.State.Registered() }),
	flag("modem_roaming", "Whether the network is not the home network.", ofModem,
		func(s *status) bool { return s.Registration.State.Roaming() }),
	flag("modem_packet_registered", "Whether a packet domain has the modem registered.", ofModem,
		func(s *status) bool { return s.Registration.Packet }),
	flag("modem_sim_ready", "Whether the SIM is open.", ofModem,
		func(s *status) bool { return s.SIM.Ready() }),
	flag("modem_data_up", "Whether a data call is up.", ofModem,
		func(s *status) bool { return s.DataUp }),
	level("modem_signal_rssi_dbm", "Received power, in dBm, as last told.", func(s *gprs.Signal) gprs.Level { return s.RSSI }),
	level("modem_signal_rsrp_dbm", "Power of the reference signals, in UMTS the RSCP, in dBm, as last told.", func(s *gprs.Signal) gprs.Level { return s.RSRP }),
	level("modem_signal_rsrq_db", "Quality of the reference signals, in UMTS Ec/No, in dB, as last told.", func(s *gprs.Signal) gprs.Level { return s.RSRQ }),
	level("modem_signal_sinr_db", "Signal to interference and noise, in dB, as last told.", func(s *gprs.Signal) gprs.Level { return s.SINR }),
	{describing("modem_signal_timestamp_seconds", "When the signal was last told, in seconds since 1970.", ofModem),
		prometheus.GaugeValue, readSignalTime},

	counter("modem_starts_total", "Times that the modem was set up.", ofModem, func(s *status) int { return s.Starts }),
	counter("modem_data_calls_total", "Data calls that came up.", ofModem, func(s *status) int { return s.DataCalls }),
	{describing("modem_recoveries_total", "Steps of recovery that were taken, by rung of the ladder.", []string{"modem", "rung"}),
		prometheus.CounterValue, readRungs},
	counter("modem_commands_total", "Commands that came to their end.", ofModem, func(s *status) int { return s.Commands }),
	counter("modem_unanswered_commands_total", "Commands that got no answer in time.", ofModem, func(s *status) int { return s.Unanswered }),
	counter("modem_lost_places_total", "Times that the engine had to find its place in the talk again.", ofModem, func(s *status) int { return s.Engine.Losses }),
	counter("modem_reboots_total", "Times that the modem started by itself while it was in use.", ofModem, func(s *status) int { return s.Engine.Reboots }),
	counter("modem_late_lines_total", "Lines of answers that nobody waited for any more.", ofModem, func(s *status) int { return s.Engine.Late }),
	counter("modem_stray_results_total", "Final results that no command waited for.", ofModem, func(s *status) int { return s.Engine.StrayResults }),
	counter("modem_overlong_lines_total", "Lines and bodies beyond the limit.", ofModem, func(s *status) int { return s.Engine.Overlong }),
	counter("modem_lost_bodies_total", "Bodies that did not come, or not wholly.", ofModem, func(s *status) int { return s.Engine.LostBodies }),
	counter("modem_lost_notifications_total", "Notifications that were lost in full queues.", ofModem, func(s *status) int { return s.Engine.Lost }),
	counter("modem_noise_bytes_total", "Octets that were dropped because they were no text.", ofModem, func(s *status) int { return s.Engine.Noise }),
}

type bankStatus = session.BankStatus

// bankMetrics are of modems in a bank alone.
var bankMetrics = []metric[*bankStatus]{
	flag("modem_fit", "Whether the bank gives messages to the modem.", ofModem, func(s *bankStatus) bool { return s.Unfit == "" }),
	gauge("modem_outstanding_messages", "Messages that the modem is sending.", ofModem, func(s *bankStatus) int { return s.Outstanding }),
	{describing("modem_messages_total", "Messages that the bank gave to the modem, by what became of them.", []string{"modem", "outcome"}),
		prometheus.CounterValue, func(s *bankStatus, add func(float64, ...string)) {
			add(float64(s.Sent), "sent")
			add(float64(s.NotSent), "not_sent")
			add(float64(s.InDoubt), "in_doubt")
		}},
	counter("modem_received_messages_total", "Messages that came by the modem and were taken.", ofModem, func(s *bankStatus) int { return s.Received }),
	flag("modem_receive_failing", "Whether nothing is received from the modem because its store fails.", ofModem, func(s *bankStatus) bool { return s.ReceiveErr != nil }),
}

// level is a gauge of a level that is left out while it is not known.
func level(name, help string, read func(*gprs.Signal) gprs.Level) metric[*status] {
	return metric[*status]{describing(name, help, ofModem), prometheus.GaugeValue, func(s *status, add func(float64, ...string)) {
		if l := read(&s.Signal); l.Known {
			add(l.DB)
		}
	}}
}

func readSignalTime(s *status, add func(float64, ...string)) {
	if !s.Signal.At.IsZero() {
		add(seconds(s.Signal.At))
	}
}

func readStates(s *status, add func(float64, ...string)) {
	for state, name := range stateNames {
		add(float64(oneIf(s.State == state)), name)
	}
}

func readRungs(s *status, add func(float64, ...string)) {
	for rung, name := range rungNames {
		add(float64(s.Rungs[rung]), name)
	}
}

func (c *collector) collectModems(to chan<- prometheus.Metric) {
	names := make(labelNames)
	for _, s := range c.sources.Sessions {
		status := s.Status()
		collect(to, modemMetrics, &status, names.unique(s.Name()))
	}
	for _, bank := range c.sources.Banks {
		for _, m := range bank.Status() {
			name := names.unique(m.Modem)
			collect(to, modemMetrics, &m.Status, name)
			collect(to, bankMetrics, &m, name)
		}
	}
}

// labelNames tells apart what has the same name: twice the same labels would fail
// the whole scrape.
type labelNames map[string]bool

func (l labelNames) unique(name string) string {
	name = strings.ToValidUTF8(name, "�")
	first := name
	for n := 2; l[name]; n++ {
		name = fmt.Sprintf("%s#%d", first, n)
	}
	l[name] = true
	return name
}
