package fakemodem

// Personalities lists the personalities of this package.
func Personalities() []*Personality {
	return []*Personality{
		SIM800, SIM7600, M95, EC25, BG96, SARAU201, SARAR410, SARAR510,
		E173, E3372, Telit, Sierra, Cinterion, ZTE, Plain, CDMA,
	}
}
