// Opens listening sockets on loopback and hands them to the caller's Node.
#ifndef SHIM_BIND_H
#define SHIM_BIND_H

// Binds 127.0.0.1 and, where it exists, ::1; then gives up privileges; then sends the sockets over descriptor 3.
void bind_port(unsigned port);

#endif
