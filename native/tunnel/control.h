// The connection by which the daemon says on which ports to listen; it is made again whenever it is lost.
#ifndef TUNNEL_CONTROL_H
#define TUNNEL_CONTROL_H

// Both must live as long as the program. `id` is what the daemon knows this container by.
void control_start(const char *socket, const char *id);

// Handles an event of the connection.
void control_event(void);

// Connects again when it is time.
void control_tick(void);

// When it must be called next: ms, -1 for no limit.
int control_timeout(void);

#endif
