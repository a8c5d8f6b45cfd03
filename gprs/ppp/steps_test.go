package ppp

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// rfcTable is the table of RFC 1661 section 4.1 as printed there, in its own
// words; the footnote options r, p and x change nothing in what is done.
const rfcTable = `
Up    | 2 | irc,scr/6 | - | - | - | - | - | - | - | -
Down  | - | - | 0 | tls/1 | 0 | 1 | 1 | 1 | 1 | tld/1
Open  | tls/1 | 1 | irc,scr/6 | 3 | 5 | 5 | 6 | 7 | 8 | 9
Close | 0 | tlf/0 | 2 | 2 | 4 | 4 | irc,str/4 | irc,str/4 | irc,str/4 | tld,irc,str/4
TO+   | - | - | - | - | str/4 | str/5 | scr/6 | scr/6 | scr/8 | -
TO-   | - | - | - | - | tlf/2 | tlf/3 | tlf/3 | tlf/3 | tlf/3 | -
RCR+  | - | - | sta/2 | irc,scr,sca/8 | 4 | 5 | sca/8 | sca,tlu/9 | sca/8 | tld,scr,sca/8
RCR-  | - | - | sta/2 | irc,scr,scn/6 | 4 | 5 | scn/6 | scn/7 | scn/6 | tld,scr,scn/6
RCA   | - | - | sta/2 | sta/3 | 4 | 5 | irc/7 | scr/6 | irc,tlu/9 | tld,scr/6
RCN   | - | - | sta/2 | sta/3 | 4 | 5 | irc,scr/6 | scr/6 | irc,scr/8 | tld,scr/6
RTR   | - | - | sta/2 | sta/3 | sta/4 | sta/5 | sta/6 | sta/6 | sta/6 | tld,zrc,sta/5
RTA   | - | - | 2 | 3 | tlf/2 | tlf/3 | 6 | 6 | 8 | tld,scr/6
RUC   | - | - | scj/2 | scj/3 | scj/4 | scj/5 | scj/6 | scj/7 | scj/8 | scj/9
RXJ+  | - | - | 2 | 3 | 4 | 5 | 6 | 6 | 8 | 9
RXJ-  | - | - | tlf/2 | tlf/3 | tlf/2 | tlf/3 | tlf/3 | tlf/3 | tlf/3 | tld,irc,str/5
RXR   | - | - | 2 | 3 | 4 | 5 | 6 | 7 | 8 | ser/9
`

func TestAutomatonIsTheTableOfRFC1661(t *testing.T) {
	actions := map[string]action{"tlu": thisLayerUp, "tld": thisLayerDown, "tls": thisLayerStarted,
		"tlf": thisLayerFinished, "irc": initRestart, "zrc": zeroRestart, "scr": sendRequest, "sca": sendAck,
		"scn": sendNak, "str": sendTerminate, "sta": sendTerminateAck, "scj": sendCodeReject, "ser": sendEchoReply}
	rows := strings.Split(strings.TrimSpace(rfcTable), "\n")
	require.Len(t, rows, int(numEvents))
	for e, row := range rows {
		cells := strings.Split(row, "|")
		require.Len(t, cells, int(numStates)) // the name takes the place of state 0
		for s := stateInitial; s < numStates; s++ {
			cell := strings.TrimSpace(cells[s])
			var want step
			if cell != "-" {
				for _, word := range strings.FieldsFunc(cell[:len(cell)-1], func(r rune) bool { return r == ',' || r == '/' }) {
					require.Contains(t, actions, word)
					want.do |= actions[word]
				}
				want.to = state(cell[len(cell)-1]-'0') + stateInitial
			}
			require.Equal(t, want, steps[e][s], "%s in state %d", strings.TrimSpace(cells[0]), s-stateInitial)
		}
	}
}
