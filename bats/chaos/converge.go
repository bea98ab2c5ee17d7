package main

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/client"

	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/invariant"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/rddtest"
)

const (
	// convergeTimeout is how long the daemon may take to converge after the faults.
	convergeTimeout = 10 * time.Second
	// engineTimeout limits the convergence with an engine that does not answer.
	engineTimeout   = time.Minute
	checkInterval   = 100 * time.Millisecond
	slowConvergence = 2 * time.Second
	// doctorTimeout is longer than 'rdd doctor' ever takes.
	doctorTimeout = 15 * time.Second
)

// converge waits until the engine is ready and the mirrors are exact. After the
// timeout it returns what is still wrong. Time in which the engine has not answered a
// request of the daemon does not count: the daemon cannot know the outcome before. It
// prints what a slow convergence waited for.
func (c *chaos) converge(ctx context.Context) (took time.Duration, wrong []string) {
	began := time.Now()
	last := began
	var waiting time.Duration // for answers of the engine
	for {
		before := wrong
		wrong = c.check(ctx)
		now := time.Now()
		if c.recorder.pending() {
			waiting += now.Sub(last)
		}
		last, took = now, now.Sub(began)
		if len(wrong) == 0 && took > slowConvergence && len(before) > 0 {
			fmt.Fprintf(c.out, "slow convergence, last because of: %s\n", before[0])
		}
		if len(wrong) == 0 || took-waiting > convergeTimeout || took > engineTimeout || ctx.Err() != nil {
			return took, wrong
		}
		_ = rddtest.Sleep(ctx, checkInterval) // the loop checks ctx
	}
}

// check describes everything that is wrong now.
func (c *chaos) check(ctx context.Context) []string {
	ctx, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	api, err := c.daemon.client()
	if err != nil {
		return []string{err.Error()}
	}
	app := &appv1.App{}
	if err := api.Get(ctx, client.ObjectKey{Name: appv1.AppName}, app); err != nil {
		return []string{"read the App: " + err.Error()}
	}
	var wrong []string
	for _, name := range []string{appv1.ConditionRunning, appv1.ConditionEngineReady, appv1.ConditionSettled} {
		if is := meta.FindStatusCondition(app.Status.Conditions, name); is == nil || is.Status != "True" {
			wrong = append(wrong, fmt.Sprintf("%s is not True: %+v", name, is))
		}
	}
	source := invariant.FromEndpoint("unix://"+c.dockerd.Socket(), app.Status.Engine.APIVersion)
	differences, err := invariant.Check(ctx, source, invariant.FromReader(api))
	if err != nil {
		return append(wrong, err.Error())
	}
	for _, d := range differences {
		wrong = append(wrong, d.String())
	}
	return wrong
}

// doctorAtRest runs the doctor. While the engine has not answered a change, such as a
// slow removal, both sides may differ: it runs the doctor again then.
func (c *chaos) doctorAtRest(ctx context.Context) []string {
	for end := time.Now().Add(engineTimeout); ; {
		busy := c.recorder.pending()
		wrong := c.doctor(ctx)
		if len(wrong) == 0 || !busy && !c.recorder.pending() || time.Now().After(end) || ctx.Err() != nil {
			return wrong
		}
	}
}

// doctor runs 'rdd doctor', which checks the datastore too.
func (c *chaos) doctor(ctx context.Context) []string {
	ctx, cancel := context.WithTimeout(ctx, doctorTimeout)
	defer cancel()
	text, err := c.daemon.Run(ctx, "doctor", "-o", "json")
	var report struct {
		Healthy bool
		Checks  []struct {
			Check, State, Text string
			Differences        []invariant.Difference
		}
	}
	if jsonErr := json.Unmarshal([]byte(text), &report); jsonErr != nil {
		return []string{fmt.Sprintf("rdd doctor: %v, %v", err, jsonErr)}
	}
	var wrong []string
	for _, check := range report.Checks {
		seen := check.Check == "datastore" || check.Check == "mirrors" || check.Check == "daemon"
		if check.State == "finding" || seen && check.State != "ok" {
			wrong = append(wrong, fmt.Sprintf("rdd doctor: %s: %s: %s", check.Check, check.State, check.Text))
		}
		for _, d := range check.Differences {
			wrong = append(wrong, "rdd doctor: "+d.String())
		}
	}
	return wrong
}
