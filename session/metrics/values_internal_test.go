package metrics

import (
	"errors"
	"regexp"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/telemodem/telemodem/at"
	"github.com/telemodem/telemodem/gprs"
	"github.com/telemodem/telemodem/session"
	"github.com/telemodem/telemodem/session/telemetry"
)

var fullName = regexp.MustCompile(`fqName: "telemodem_([^"]*)"`)

// read returns the values of all metrics of one thing by name, those with a label
// of their own as name/label.
func read[T any](t *testing.T, metrics []metric[T], of T) map[string]float64 {
	t.Helper()
	values := make(map[string]float64)
	for _, m := range metrics {
		name := fullName.FindStringSubmatch(m.desc.String())[1]
		m.read(of, func(value float64, own ...string) {
			key := name
			for _, label := range own {
				key += "/" + label
			}
			require.NotContains(t, values, key)
			values[key] = value
		})
	}
	return values
}

// Each metric shows its own field: no two have the same number here.
func TestMetricsShowTheirFields(t *testing.T) {
	level := func(db float64) gprs.Level { return gprs.Level{DB: db, Known: true} }
	require.Len(t, stateNames, int(session.StateClosed)+1)
	require.Len(t, rungNames, int(session.RungPower))
	s := status{
		State: session.StateSearching, Since: time.Unix(1000, 500_000_000), SIM: gprs.SIMReady, DataUp: true,
		Registration: gprs.Registration{State: gprs.StateRoaming},
		Signal:       gprs.Signal{RSSI: level(-71), RSRP: level(-97), RSRQ: level(-11), SINR: level(7), At: time.Unix(2000, 0)},
		Starts:       1, DataCalls: 2, Commands: 3, Unanswered: 4,
		Engine: at.Stats{Noise: 5, Overlong: 6, Late: 7, StrayResults: 8, Lost: 9, LostBodies: 10, Losses: 11, Reboots: 12},
	}
	for rung := range rungNames {
		s.Rungs[rung] = 100 + int(rung)
	}
	require.Equal(t, map[string]float64{
		"modem_state/opening": 0, "modem_state/starting": 0, "modem_state/unlocking": 0, "modem_state/searching": 1,
		"modem_state/registered": 0, "modem_state/recovering": 0, "modem_state/failed": 0, "modem_state/closed": 0,
		"modem_state_change_timestamp_seconds": 1000.5, "modem_registered": 1, "modem_roaming": 1, "modem_packet_registered": 0,
		"modem_sim_ready": 1, "modem_data_up": 1,
		"modem_signal_rssi_dbm": -71, "modem_signal_rsrp_dbm": -97, "modem_signal_rsrq_db": -11, "modem_signal_sinr_db": 7,
		"modem_signal_timestamp_seconds": 2000,
		"modem_starts_total":             1, "modem_data_calls_total": 2, "modem_commands_total": 3, "modem_unanswered_commands_total": 4,
		"modem_recoveries_total/probe": 101, "modem_recoveries_total/leave": 102, "modem_recoveries_total/setup": 103,
		"modem_recoveries_total/reopen": 104, "modem_recoveries_total/search": 105, "modem_recoveries_total/attach": 106,
		"modem_recoveries_total/radio": 107, "modem_recoveries_total/restart": 108, "modem_recoveries_total/power": 109,
		"modem_noise_bytes_total": 5, "modem_overlong_lines_total": 6, "modem_late_lines_total": 7, "modem_stray_results_total": 8,
		"modem_lost_notifications_total": 9, "modem_lost_bodies_total": 10, "modem_lost_places_total": 11, "modem_reboots_total": 12,
	}, read(t, modemMetrics, &s))

	s = status{Registration: gprs.Registration{State: gprs.StateHome, Packet: true}}
	values := read(t, modemMetrics, &s)
	require.Equal(t, 1., values["modem_registered"])
	require.Zero(t, values["modem_roaming"])
	require.Equal(t, 1., values["modem_packet_registered"])
	require.Zero(t, values["modem_state_change_timestamp_seconds"], "not the year 1")
	for _, absent := range []string{"modem_signal_rssi_dbm", "modem_signal_rsrp_dbm", "modem_signal_rsrq_db", "modem_signal_sinr_db", "modem_signal_timestamp_seconds"} {
		require.NotContains(t, values, absent)
	}
}

func TestBankMetricsShowTheirFields(t *testing.T) {
	require.Equal(t, map[string]float64{
		"modem_fit": 1, "modem_outstanding_messages": 1, "modem_messages_total/sent": 2, "modem_messages_total/not_sent": 3,
		"modem_messages_total/in_doubt": 4, "modem_received_messages_total": 5, "modem_receive_failing": 0,
	}, read(t, bankMetrics, &bankStatus{Outstanding: 1, Sent: 2, NotSent: 3, InDoubt: 4, Received: 5}))
	values := read(t, bankMetrics, &bankStatus{Unfit: "closed", ReceiveErr: errors.New("the disk is gone")})
	require.Zero(t, values["modem_fit"])
	require.Equal(t, 1., values["modem_receive_failing"])
}

func TestLinkMetricsShowTheirFields(t *testing.T) {
	now := time.Unix(5000, 0)
	stats := telemetry.Stats{Accepted: 1, Acknowledged: 2, Outstanding: 3, OutboxOctets: 4, Oldest: now.Add(-5 * time.Second),
		Handled: 6, Duplicates: 7, Refused: 8, Replayed: 9, Skipped: 10, Active: "wire"}
	require.Equal(t, map[string]float64{
		"link_accepted_readings_total": 1, "link_acknowledged_readings_total": 2, "link_outstanding_readings": 3, "link_outbox_bytes": 4,
		"link_oldest_reading_age_seconds": 5, "link_handled_readings_total": 6, "link_duplicate_readings_total": 7,
		"link_refused_frames_total": 8, "link_replayed_frames_total": 9, "link_skipped_segments_total": 10, "link_connected": 1,
	}, read(t, linkMetrics, &link{stats, now}))
	stats = telemetry.Stats{Oldest: now.Add(time.Second)} // the clock was set back
	require.Zero(t, read(t, linkMetrics, &link{stats, now})["link_oldest_reading_age_seconds"])
	stats = telemetry.Stats{}
	require.Zero(t, read(t, linkMetrics, &link{stats, now})["link_oldest_reading_age_seconds"])

	path := telemetry.PathStats{State: telemetry.PathUp, FramesSent: 1, OctetsSent: 2, FramesReceived: 3, OctetsReceived: 4, Failures: 5, AckTime: 6 * time.Second}
	require.Equal(t, map[string]float64{
		"path_up": 1, "path_active": 1, "path_sent_frames_total": 1, "path_sent_bytes_total": 2, "path_received_frames_total": 3,
		"path_received_bytes_total": 4, "path_failures_total": 5, "path_acknowledgement_seconds": 6,
	}, read(t, pathMetrics, &lane{path, true}))
	require.Zero(t, read(t, pathMetrics, &lane{path, false})["path_active"])
}
