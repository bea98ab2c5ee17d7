package lima

import (
	"time"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost"
)

// limits are the driver's timeouts. They are fields and no constants so that tests can
// have shorter ones.
type limits struct {
	// lock limits the time from the start of the agent's program to its lock.
	lock time.Duration
	// answer limits the wait for the first answer of a running agent.
	answer time.Duration
	// silence limits the wait for further answers. It must be longer than
	// limahost.LongPoll.
	silence time.Duration
	// adopt limits the wait for the engine of a VM that was ready before.
	adopt time.Duration
	// exit limits the wait for the exit of an agent whose machine has ended.
	exit time.Duration

	// The limits of a stop, together less than 40 seconds:

	// agentStop limits the stop of the agent, which gives the guest 20 seconds to
	// power down before it uses force.
	agentStop time.Duration
	// stop limits all steps except qemu.ForceTimeout at the end.
	stop time.Duration
	// machineStop limits the shutdown of a guest without an agent.
	machineStop time.Duration
	// killed limits the wait for the end of a killed process.
	killed time.Duration
}

func defaultLimits() limits {
	return limits{
		lock: 15 * time.Second, answer: 10 * time.Second, silence: limahost.LongPoll + 10*time.Second,
		adopt: 5 * time.Second, exit: 10 * time.Second,
		agentStop: 27 * time.Second, stop: 34 * time.Second, machineStop: 20 * time.Second, killed: 2 * time.Second,
	}
}

// These are limits of the time from the machine's start until the engine answers. A
// built image takes half a minute without hardware acceleration on a slow machine. A
// public image installs the engine over the network at its first boot.
const (
	builtBoot = 5 * time.Minute
	cloudBoot = 15 * time.Minute
	// builtImage and cloudImage bound the time before the machine's start, in which
	// the image is downloaded and the disk is made.
	builtImage = time.Minute
	cloudImage = 15 * time.Minute
)

const (
	// statusTimeout limits one request to the agent, which answers from memory.
	statusTimeout = 2 * time.Second
	// pingTimeout limits one request to an engine.
	pingTimeout = 5 * time.Second
	// retryPause is the pause after an agent, or an engine, did not answer.
	retryPause = 50 * time.Millisecond
	// lockPoll is the pause between two checks of the lock of a starting agent.
	lockPoll = 5 * time.Millisecond
)
