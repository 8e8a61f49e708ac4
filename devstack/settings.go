package devstack

import "strconv"

// Setting is a variable of the stacks themselves, for docs/settings.md. No service reads it.
type Setting struct {
	Name    string
	Default string
	Reader  string // stack (the one without containers), compose, or both
	Meaning string
}

// Settings returns the variables that configure the stacks.
func Settings() []Setting {
	const (
		native  = "stack"
		compose = "compose"
		both    = "stack, compose"
	)

	list := []Setting{
		{"TRIBUTARY_STATE", ".devstack", native, "The folder for data, logs and built programs."},
		{"TRIBUTARY_CACHE", "", native, "The folder for downloads; empty for the user's cache folder."},
		{"POSTGRES_SHARED_BUFFERS", sharedBuffers, both, "The memory of each database's buffers."},
		{"PULSAR_MEM", pulsarMemory, both, "The memory options of the local broker's Java."},
		{"GOMAXPROCS", "", native, "The processors of each service; empty for half of them, and all for commission."},
		{"POSTGRES_PASSWORD", "postgres", compose, "The password of the databases' owner."},
		{"ADMINER_PORT", "9001", compose, "The port of Adminer, on 127.0.0.1."},
		{"CONTAINER_PREFIX", "", compose, "The prefix of the names of the databases' containers."},
		{
			"LOCAL_BROKER", "1", compose,
			"0 starts no broker; the stack without containers uses PULSAR_SERVICE_URL instead.",
		},
		{"PROVISION", "", compose, "1 sets up topics on a managed broker; empty for the value of LOCAL_BROKER."},
	}

	var ports Ports
	for _, s := range ports.settable() {
		reader := both
		if s.port == &ports.Bookie {
			reader = native
		}

		list = append(list, Setting{
			Name:    s.variable,
			Default: strconv.Itoa(s.usual),
			Reader:  reader,
			Meaning: "The port of " + s.title + ", on 127.0.0.1.",
		})
	}

	return list
}
