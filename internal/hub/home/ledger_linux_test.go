package home

import (
	"fmt"
	"math/rand/v2"
	"os"
	"testing"

	"k8s.io/apimachinery/pkg/types"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/instance"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/testkit/powercut"
)

// A hub that returns from a backup after a power cut requests again what was carried out.
func TestLedgerSurvivesPowerCut(t *testing.T) {
	dir := t.TempDir()
	record := powercut.Mount(t, dir)
	ledger, err := OpenLedger(instance.Instance{DataDir: dir})
	if err != nil {
		t.Fatal(err)
	}
	const requests = 20
	moments := make([]int, requests)
	for i := range requests {
		if err := ledger.Add(types.UID(fmt.Sprint(i)), "delete", ""); err != nil {
			t.Fatal(err)
		}
		moments[i] = record.Len()
	}
	seed := rand.Uint64()
	random := rand.New(rand.NewPCG(seed, 0))
	replay := record.NewReplay()
	for i, moment := range moments {
		replay.Advance(moment)
		left, err := os.MkdirTemp(t.TempDir(), "")
		if err != nil {
			t.Fatal(err)
		}
		if err := replay.Cut(random, left); err != nil {
			t.Fatal(err)
		}
		again, err := OpenLedger(instance.Instance{DataDir: left})
		if err != nil {
			t.Fatal(err)
		}
		if !has(again, types.UID(fmt.Sprint(i)), "delete") {
			t.Errorf("seed %d: request %d was recorded, and is lost after a power cut", seed, i)
		}
	}
}
