// Drives a monitor by DigitalOcean's QMP client (package golang-github-digitalocean-go-qemu-dev), which has nothing to do with this
// project: connects, runs a few commands, and waits for the event of a device that is unplugged. Prints one line for each.
package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/digitalocean/go-qemu/qmp"
)

func check(err error) {
	if err != nil {
		fmt.Println("failed:", err)
		os.Exit(1)
	}
}

func main() {
	monitor, err := qmp.NewSocketMonitor("unix", os.Args[1], 10*time.Second)
	check(err)
	check(monitor.Connect())
	fmt.Println("version", monitor.Version)
	events, err := monitor.Events(context.Background())
	check(err)
	for _, command := range os.Args[2:] {
		answer, err := monitor.Run([]byte(command))
		if err != nil {
			fmt.Println("error", err)
		} else {
			fmt.Println(string(answer))
		}
	}
	event := <-events
	fmt.Println("event", event.Event, event.Data["device"], event.Timestamp.Seconds > 0)
	check(monitor.Disconnect())
}
