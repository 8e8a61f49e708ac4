package process

import (
	"os"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"
)

const (
	timerSlack    = 1_000_000 // nanoseconds; the kernel's default is 50,000
	timersRelaxed = "TIMERS_RELAXED"
)

// RelaxTimers lets the kernel end this program's waits up to a millisecond late. While anything
// runs, a thread of Go's runtime looks after it about every 20 µs, and the kernel adds its slack to
// each of these waits. In a service that always has a little to do, they took a fifth of the CPU
// time.
//
// A thread has the slack of the one that created it, and that thread is older than main. So the
// program is executed again in its own place, with the same process id, once. If the system refuses
// anything, the program continues as it is.
func RelaxTimers() {
	if os.Getenv(timersRelaxed) != "" {
		return
	}

	runtime.LockOSThread()

	defer runtime.UnlockOSThread()

	program, err := os.Executable()
	if err != nil || unix.Prctl(unix.PR_SET_TIMERSLACK, timerSlack, 0, 0, 0) != nil {
		return
	}

	//nolint:gosec // the program itself, as it was started
	_ = syscall.Exec(program, os.Args, append(os.Environ(), timersRelaxed+"=1"))
}
