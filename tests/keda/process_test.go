// A running sluice binary: started, understood by its log, stopped by its process id.

package conformance

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

const (
	// A debug binary on a busy machine starts in about a second.
	startPatience = 30 * time.Second
	// Sluice drains for ten seconds at most.
	stopPatience = 15 * time.Second
	// So many of the last lines of a log say why a process ended.
	logTailLines = 20
)

// noMemory makes a scaler ask SQS each time, as KEDA's own scaler does.
var noMemory = []string{
	"--cache-ttl-seconds", "0", "--staleness-bound-seconds", "0", "--failure-memory-seconds", "0",
}

// process is a sluice binary that has told what it was started for.
type process struct {
	command *exec.Cmd
	ended   chan struct{}
	// told has the fields of the log line that it was waited for, such as its addresses.
	told map[string]string
}

// startScaler starts `sluice serve` on grpcAddress without any memory; flags come last and win.
func startScaler(grpcAddress string, flags ...string) (*process, error) {
	arguments := []string{"serve", "--grpc-listen", grpcAddress, "--http-listen", "127.0.0.1:0", "--loopback-endpoints"}
	// The cases are more triggers than an hour of production has.
	limits := []string{"--triggers-max", "100000", "--namespace-triggers-max", "100000"}
	return startProcess("grpc", slices.Concat(arguments, limits, noMemory, flags)...)
}

// startProcess runs the binary until its log has a line with the field, which means that it serves.
func startProcess(field string, arguments ...string) (*process, error) {
	command := exec.Command(binary(), append([]string{"--log-format", "json"}, arguments...)...)
	stderr, err := command.StderrPipe()
	if err != nil {
		return nil, err
	}
	if err := command.Start(); err != nil {
		return nil, fmt.Errorf("cannot start sluice; build it, or say where it is with SLUICE_BIN: %w", err)
	}
	started := &process{command: command, ended: make(chan struct{})}
	log := &logReader{field: field, found: make(chan map[string]string, 1)}
	go func() {
		log.read(stderr)
		_ = command.Wait()
		close(started.ended)
	}()
	select {
	case started.told = <-log.found:
		return started, nil
	case <-started.ended:
		return nil, fmt.Errorf("sluice %s ended:\n%s", arguments[0], log.tail())
	case <-time.After(startPatience):
		_ = command.Process.Kill()
		return nil, fmt.Errorf("sluice %s has not told its %s:\n%s", arguments[0], field, log.tail())
	}
}

func binary() string {
	if path := os.Getenv("SLUICE_BIN"); path != "" {
		return path
	}
	return "../../target/debug/sluice"
}

// stop asks the process to drain and waits for its end.
func (p *process) stop() {
	if err := p.terminate(); err != nil {
		return
	}
	select {
	case <-p.ended:
	case <-time.After(stopPatience):
		p.kill()
	}
}

// terminate sends SIGTERM, as Kubernetes does.
func (p *process) terminate() error {
	return p.command.Process.Signal(syscall.SIGTERM)
}

// kill ends the process without a word to its clients.
func (p *process) kill() {
	if err := p.command.Process.Kill(); !errors.Is(err, os.ErrProcessDone) {
		<-p.ended
	}
}

// logReader reads a JSON log to its end, so that the process never blocks on a full pipe.
type logReader struct {
	field string
	found chan map[string]string
	lock  sync.Mutex
	lines []string
}

func (l *logReader) read(log io.Reader) {
	for lines := bufio.NewScanner(log); lines.Scan(); {
		l.keep(lines.Text())
		if fields := textFields(lines.Bytes()); fields[l.field] != "" {
			select {
			case l.found <- fields:
			default:
			}
		}
	}
}

func (l *logReader) keep(line string) {
	l.lock.Lock()
	defer l.lock.Unlock()
	l.lines = append(l.lines, line)
	if len(l.lines) > logTailLines {
		l.lines = l.lines[1:]
	}
}

func (l *logReader) tail() string {
	l.lock.Lock()
	defer l.lock.Unlock()
	return strings.Join(l.lines, "\n")
}

// textFields gives the fields of a JSON line that are texts, or nothing for another line.
func textFields(line []byte) map[string]string {
	var all map[string]any
	if json.Unmarshal(line, &all) != nil {
		return nil
	}
	fields := map[string]string{}
	for name, value := range all {
		if text, isText := value.(string); isText {
			fields[name] = text
		}
	}
	return fields
}
