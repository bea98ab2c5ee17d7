package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os/exec"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/bench/report/figures"
)

const (
	// createGoal is how many milliseconds a request may take more than the docker CLI.
	createGoal = 10
	// createRequests is the resource of ContainerCreateRequests.
	createRequests = "containercreaterequests"
)

// createRequest has the fields of a ContainerCreateRequest that are used here.
type createRequest struct {
	Metadata struct {
		Name string `json:"name"`
	} `json:"metadata"`
	Status containersv1.RequestStatus `json:"status"`
}

// creates measures the creation and the start of a container, by the docker CLI, by a
// client of the engine, and by a request.
func (b *bench) creates(ctx context.Context, s *target) error {
	if _, err := exec.LookPath("docker"); err != nil {
		return fmt.Errorf("find the docker CLI (Debian's docker.io has it): %w", err)
	}
	t, err := s.rdd.track(ctx)
	if err != nil {
		return err
	}
	defer t.close()
	requests, err := openStream[createRequest](ctx, s.rdd, s.rdd.path(createRequests))
	if err != nil {
		return err
	}
	defer requests.Close()
	cli := b.run.Figure(figures.Requests, "`docker run -d`, from the start of the command to its end", figures.Milliseconds, percentiles()...)
	calls := b.run.Figure(figures.Requests, "the same requests to the engine", figures.Milliseconds, percentiles()...)
	request := b.run.Figure(figures.Requests, "`ContainerCreateRequest`, from the request to the watch event of `Complete=True`", figures.Milliseconds, percentiles()...)
	ways := []struct {
		figure *figures.Figure
		create func(ctx context.Context, name string) (id string, err error)
	}{
		{cli, b.dockerRun},
		{calls, b.createAndStart},
		{request, func(ctx context.Context, name string) (string, error) {
			return s.rdd.createContainer(ctx, requests, name)
		}},
	}
	for i := range b.samples / 10 {
		for n, way := range ways {
			began := time.Now()
			id, err := way.create(ctx, fmt.Sprintf("create-%d-%d", i, n))
			if err != nil {
				return err
			}
			way.figure.Values = append(way.figure.Values, milliseconds(time.Since(began)))
			if err := b.removeCreated(ctx, t, id); err != nil {
				return err
			}
		}
	}
	b.difference(figures.Requests, "p50 of the request, minus that of `docker run -d`", request, cli, figures.Goal(createGoal))
	b.difference(figures.Requests, "p50 of the request, minus that of the same requests to the engine", request, calls)
	return nil
}

// percentiles returns the rows of a latency without a goal.
func percentiles() []figures.Row { return []figures.Row{{Percentile: 50}, {Percentile: 99}} }

// difference adds the difference of the medians of two figures.
func (b *bench) difference(group, name string, one, two *figures.Figure, rows ...figures.Row) {
	b.add(group, name, figures.Milliseconds, figures.Percentile(one.Values, 50)-figures.Percentile(two.Values, 50), rows...)
}

// removeCreated removes a container, and waits for its mirror to come and go.
func (b *bench) removeCreated(ctx context.Context, t *tracker, id string) error {
	if _, err := t.appeared(ctx, containers+"/"+id, "running"); err != nil {
		return err
	}
	if err := b.docker.RemoveContainer(ctx, id); err != nil {
		return err
	}
	_, err := t.vanished(ctx, containers+"/"+id)
	return err
}

// dockerCommand returns a command of the docker CLI.
func (b *bench) dockerCommand(ctx context.Context, args ...string) *exec.Cmd {
	return exec.CommandContext(ctx, "docker", append([]string{"-H", "unix://" + b.docker.Socket()}, args...)...) //nolint:gosec // its arguments are those of this program
}

func (b *bench) dockerRun(ctx context.Context, name string) (string, error) {
	out, err := b.dockerCommand(ctx, "run", "-d", "--network", "none", "--name", name, busy).Output()
	if err != nil {
		return "", fmt.Errorf("docker run %s: %w", name, err)
	}
	return strings.TrimSpace(string(out)), nil
}

func (b *bench) createAndStart(ctx context.Context, name string) (string, error) {
	id, err := b.docker.CreateContainer(ctx, name, busy)
	if err != nil {
		return "", err
	}
	return id, b.docker.Do(ctx, "start", id)
}

// createContainer creates a request, and follows it in a watch to its end.
func (s *apiClient) createContainer(ctx context.Context, requests *stream[createRequest], name string) (string, error) {
	body, err := json.Marshal(map[string]any{
		"apiVersion": s.group.String(), "kind": containersv1.KindContainerCreateRequest,
		"metadata": map[string]string{"name": name},
		"spec":     map[string]any{"image": busy, "name": name, "networks": []string{"none"}},
	})
	if err != nil {
		return "", fmt.Errorf("create request %s: %w", name, err)
	}
	if err := s.rest.Post().AbsPath(s.path(createRequests)).Body(body).Do(ctx).Error(); err != nil {
		return "", fmt.Errorf("create request %s: %w", name, err)
	}
	for {
		event, err := requests.next()
		if err != nil {
			return "", err
		}
		r := event.Object
		if r.Metadata.Name != name {
			continue
		}
		if c := meta.FindStatusCondition(r.Status.Conditions, containersv1.ConditionFailed); c != nil && c.Status == metav1.ConditionTrue {
			return "", fmt.Errorf("request %s failed: %s", name, r.Status.Message)
		}
		if meta.IsStatusConditionTrue(r.Status.Conditions, containersv1.ConditionComplete) {
			return r.Status.Result.Name, nil
		}
	}
}
