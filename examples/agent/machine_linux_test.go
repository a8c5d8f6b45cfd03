package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestReadSystem(t *testing.T) {
	got := map[string]quantity{}
	for _, q := range readSystem() {
		got[q.name] = q
	}
	require.Positive(t, got["up"].value)
	require.Positive(t, got["mem"].value)
	require.GreaterOrEqual(t, got["disk"].value, 0.0)
	require.LessOrEqual(t, got["disk"].value, 100.0)
}

func TestMissingSensorGivesNoValue(t *testing.T) {
	dir := t.TempDir()
	_, ok := cpuTemperature(dir)
	require.False(t, ok)
	zone := filepath.Join(dir, "thermal_zone0")
	require.NoError(t, os.Mkdir(zone, 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(zone, "temp"), []byte("48250\n"), 0o644))
	value, ok := cpuTemperature(dir)
	require.True(t, ok)
	require.Equal(t, 48.25, value)
}

func TestMemoryInUse(t *testing.T) {
	path := filepath.Join(t.TempDir(), "meminfo")
	require.NoError(t, os.WriteFile(path, []byte("MemTotal: 1000 kB\nMemFree: 100 kB\nMemAvailable: 400 kB\n"), 0o644))
	value, ok := memoryInUse(path)
	require.True(t, ok)
	require.Equal(t, 600.0*1024, value)
}

func TestProcessFallBack(t *testing.T) {
	require.NotEmpty(t, readProcess())
}
