// The trivial service: listens on 127.0.0.1, on the port in its first argument or in $PORT, and closes every connection.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

int main(int argc, char *argv[]) {
  const char *port = argc > 1 ? argv[1] : getenv("PORT");
  if (port == NULL) return 64;
  struct sockaddr_in address = {
      .sin_family = AF_INET,
      .sin_port = htons((unsigned short)atoi(port)),
      .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
  };
  int on = 1;
  int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (listener < 0 || setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
      bind(listener, (const struct sockaddr *)&address, sizeof address) != 0 || listen(listener, 64) != 0) {
    perror("listener");
    return 1;
  }
  for (;;) {
    int client = accept(listener, NULL, NULL);
    if (client >= 0) (void)close(client);
  }
}
