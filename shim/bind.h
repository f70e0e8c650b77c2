// Listening sockets on loopback, handed over to the caller's Node.
#ifndef SHIM_BIND_H
#define SHIM_BIND_H

// 127.0.0.1 and, where there is one, ::1; then privileges are given up, then the sockets are sent over descriptor 3.
void bind_port(unsigned port);

#endif
