//go:build race

package at

const raceEnabled = true
