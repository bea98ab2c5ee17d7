package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	hubv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/hub/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/cmd/rdd/client"
	"github.com/rancher-sandbox/rancher-desktop-daemon/cmd/rdd/progress"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/hub/home"
)

// joinInterval is the pause between two readings of the state of the hub.
const joinInterval = 200 * time.Millisecond

type joinCmd struct {
	File    string        `arg:"" help:"Join file, which an administrator of the hub creates with 'rdd hub add'; - for standard input." type:"path"`
	Allow   hubv1.Allow   `help:"What users of the hub may do: view (nothing else), operate (start, stop and delete what the engine has), or create (also carry out requests, such as a ContainerCreateRequest)." enum:"view,operate,create" default:"operate"`
	Timeout time.Duration `help:"How long to wait until the hub has all mirrors. 0 does not wait." default:"5m"`
}

// Run implements the command.
func (c *joinCmd) Run(s *session) error {
	join, err := c.read(s.in)
	if err != nil {
		return &usageError{message: fmt.Sprintf("join file %s: %v", c.File, err)}
	}
	join.Allow = c.Allow
	shown := progress.New(s.err)
	defer shown.Close()
	daemon, err := s.connect(s.ctx, shown) // which also creates the directories
	if err != nil {
		return err
	}
	if err := join.Save(s.instance); err != nil {
		return err
	}
	if err := daemon.JoinChanged(s.ctx); err != nil {
		return err
	}
	if c.Timeout > 0 {
		if err := c.wait(s.ctx, daemon, join, shown); err != nil {
			return err
		}
	}
	shown.Close()
	fmt.Fprintf(s.out, "This machine is %s on the hub %s, whose users can %s.\n", join.Machine, join.Server, allowed(join.Allow))
	return nil
}

func allowed(allow hubv1.Allow) string {
	switch allow {
	case hubv1.AllowView:
		return "see its containers, images, volumes and networks"
	case hubv1.AllowCreate:
		return "see, start, stop, delete and create its containers"
	default:
		return "see, start, stop and delete its containers"
	}
}

func (c *joinCmd) read(in io.Reader) (*home.Join, error) {
	if c.File == "-" {
		content, err := io.ReadAll(in)
		if err != nil {
			return nil, err
		}
		dir, err := os.Getwd()
		if err != nil {
			return nil, err
		}
		return home.Parse(content, dir)
	}
	content, err := os.ReadFile(c.File)
	if err != nil {
		return nil, err
	}
	return home.Parse(content, filepath.Dir(c.File))
}

// wait returns when the hub has all mirrors. A state that only a user can change is an
// error.
func (c *joinCmd) wait(ctx context.Context, daemon *client.Client, join *home.Join, shown *progress.Progress) error {
	ctx, cancel := context.WithTimeout(ctx, c.Timeout)
	defer cancel()
	last := "the daemon has not read the join file yet"
	for {
		condition, err := hubCondition(ctx, daemon, join)
		switch {
		case err != nil && ctx.Err() == nil:
			return err
		case condition == nil:
		case condition.Status == metav1.ConditionTrue:
			return nil
		default:
			last = condition.Message
			if isFinal(condition.Reason) {
				return errors.New(last + "\nrdd keeps trying: 'rdd status' shows the state, and 'rdd leave' ends it")
			}
			shown.Update("joining the hub: " + last)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w: the hub does not have all mirrors yet: %s: rdd continues in the background, see 'rdd status'", ctx.Err(), last)
		case <-time.After(joinInterval):
		}
	}
}

// isFinal reports whether only a user can change the state with this reason.
func isFinal(reason string) bool {
	switch reason {
	case appv1.ReasonHubUnauthorized, appv1.ReasonHubRefused, appv1.ReasonHubHeldByOther, appv1.ReasonHubInvalidJoin:
		return true
	default:
		return false
	}
}

// hubCondition returns the condition HubSynced of this Join, or nil if there is none yet.
func hubCondition(ctx context.Context, daemon *client.Client, join *home.Join) (*metav1.Condition, error) {
	app, err := daemon.App(ctx)
	if err != nil {
		return nil, err
	}
	if app.Status.Hub == nil || !app.Status.Hub.JoinedAt.Equal(&join.JoinedAt) {
		return nil, nil
	}
	return meta.FindStatusCondition(app.Status.Conditions, appv1.ConditionHubSynced), nil
}

type leaveCmd struct{}

// Run implements the command. The mirrors on the hub stay until its controller removes them.
// A join file that cannot be read is removed too.
func (*leaveCmd) Run(s *session) error {
	left := "the hub of a join file that could not be read"
	join, err := home.Load(s.instance)
	switch {
	case errors.Is(err, home.ErrNotJoined):
		return err
	case err == nil:
		left = leftHub(join, s.isFollowed(join))
	}
	if err := home.Leave(s.instance); err != nil {
		return err
	}
	if err := s.joinChanged(); err != nil {
		return err
	}
	fmt.Fprintf(s.out, "This machine has left %s.\n", left)
	return nil
}

// leftHub returns which hub a machine has left, and what stays there. Only a hub that was
// followed is known to have the machine.
func leftHub(join *home.Join, isFollowed bool) string {
	if isFollowed {
		return fmt.Sprintf("the hub %s. Its mirrors stay there until an administrator runs 'rdd hub remove %s'", join.Server, join.Machine)
	}
	return fmt.Sprintf("the hub %s. If the hub still has machine %s, its mirrors stay there until an administrator runs 'rdd hub remove %[2]s'", join.Server, join.Machine)
}

// isFollowed reports whether the daemon followed the hub of a Join at the last change of the
// App. It does not if the machine was removed from the hub.
func (s *session) isFollowed(join *home.Join) bool {
	running, err := s.running()
	if err != nil || !running {
		return false
	}
	daemon, err := s.runningClient()
	if err != nil {
		return false
	}
	ctx, cancel := context.WithTimeout(s.ctx, queryTimeout)
	defer cancel()
	condition, err := hubCondition(ctx, daemon, join)
	if err != nil || condition == nil {
		return false
	}
	switch condition.Reason {
	case appv1.ReasonHubSynced, appv1.ReasonHubNoEngine, appv1.ReasonHubSyncing, appv1.ReasonHubEngineDisconnected:
		return true
	default:
		return false
	}
}

// joinChanged makes the daemon, if one runs, read again which hub this machine has joined.
func (s *session) joinChanged() error {
	running, err := s.running()
	if err != nil || !running {
		return err
	}
	daemon, err := s.runningClient()
	if err != nil {
		return err
	}
	return daemon.JoinChanged(s.ctx)
}
