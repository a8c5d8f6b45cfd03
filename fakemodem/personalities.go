package fakemodem

// Personalities lists the personalities of this package.
func Personalities() []*Personality {
	return []*Personality{SIM800}
}
