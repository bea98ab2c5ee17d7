package laws

import (
	"testing"
	"time"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
)

func TestCommandNeedsRequest(t *testing.T) {
	start := func(f *fixture) { f.command("start", containersv1.KindContainer, f.container) }
	remove := func(f *fixture) { f.command("remove", containersv1.KindVolume, "data") }
	test(t, map[string]forgery{
		"start without request": {start, "no user requests that"},
		"start": {func(f *fixture) {
			f.desire(containersv1.StateRunning)
			start(f)
		}, ""},
		"start although stop is requested": {func(f *fixture) {
			f.desire(containersv1.StateCreated)
			start(f)
		}, "no user requests that"},
		"start of another container": {func(f *fixture) {
			f.desire(containersv1.StateRunning)
			f.command("start", containersv1.KindContainer, "other")
		}, "no user requests that"},
		"start after the request was observed": {func(f *fixture) {
			f.desire(containersv1.StateRunning)
			f.observe()
			time.Sleep(2 * acting)
			start(f)
		}, "no user requests that"},
		"start just after the request was withdrawn": {func(f *fixture) {
			f.desire(containersv1.StateRunning)
			f.desire(containersv1.StateUnknown)
			time.Sleep(acting / 2)
			start(f)
		}, ""},
		"start in a gentle run after the request was withdrawn": {func(f *fixture) {
			f.SetGentle()
			f.desire(containersv1.StateRunning)
			f.desire(containersv1.StateUnknown)
			time.Sleep(2 * gentleActing)
			start(f)
		}, "no user requests that"},
		"start long after the request, while a fault is repaired": {func(f *fixture) {
			f.desire(containersv1.StateRunning)
			f.desire(containersv1.StateUnknown)
			f.Shaken(time.Hour)
			time.Sleep(2 * acting)
			start(f)
		}, ""},
		"remove without delete": {remove, "no user requests that"},
		"remove": {func(f *fixture) {
			f.cluster.Delete(f.key(containersv1.KindVolume))
			remove(f)
		}, ""},
		"unpause without request": {func(f *fixture) { f.command("unpause", containersv1.KindContainer, f.container) }, "no user requests that"},
		"unpause before a stop": {func(f *fixture) {
			f.desire(containersv1.StateCreated)
			f.command("unpause", containersv1.KindContainer, f.container)
			f.command("stop", containersv1.KindContainer, f.container)
		}, ""},
	})
}

func TestRequestIsAppliedOnce(t *testing.T) {
	start := func(f *fixture) { f.command("start", containersv1.KindContainer, f.container) }
	test(t, map[string]forgery{
		"twice": {func(f *fixture) {
			f.desire(containersv1.StateRunning)
			start(f)
			start(f)
		}, "applied 2 times for one request"},
		"twice without an answer": {func(f *fixture) {
			f.desire(containersv1.StateRunning)
			f.Judge(f.native).Command("start", containersv1.KindContainer, f.container)
			start(f)
		}, ""},
		"once for each request": {func(f *fixture) {
			f.desire(containersv1.StateRunning)
			start(f)
			f.observe()
			f.desire(containersv1.StateUnknown)
			f.desire(containersv1.StateRunning)
			start(f)
		}, ""},
		"once for each incarnation of the mirror": {func(f *fixture) {
			f.desire(containersv1.StateRunning)
			start(f)
			f.MirrorStarted(f.container)
			start(f)
		}, ""},
		"three times for two incarnations": {func(f *fixture) {
			f.desire(containersv1.StateRunning)
			start(f)
			f.MirrorStarted(f.container)
			start(f)
			start(f)
		}, "applied 3 times for one request"},
		"twice after an incarnation before the request": {func(f *fixture) {
			f.MirrorStarted(f.container)
			f.desire(containersv1.StateRunning)
			start(f)
			start(f)
		}, "applied 2 times for one request"},
	})
}
