/*
 * poll(2) of a descriptor that is only written to. Linux: POLLERR at the write end of a pipe whose read end is closed (poll(2)), POLLHUP
 * at a socket whose peer closed it. Node.js does not poll for them: it would notice at the next write.
 */
#include "functions.h"

/* As in <poll.h>, which a compiler without a C library does not have; the layout and the bits are Linux's own (asm-generic/poll.h). */
struct pollfd {
	int fd;
	short events;
	short revents;
};
enum { POLLERR = 0x0008, POLLHUP = 0x0010 };
int poll(struct pollfd *fds, unsigned long count, int timeout_ms);

napi_value is_unread(napi_env env, napi_callback_info info)
{
	size_t count = 1;
	napi_value argument = NULL;
	napi_value result = NULL;
	int32_t descriptor = -1;
	if (napi_get_cb_info(env, info, &count, &argument, NULL, NULL) != NAPI_OK || count < 1)
		return NULL;
	if (napi_get_value_int32(env, argument, &descriptor) != NAPI_OK)
		return NULL;
	struct pollfd polled = { .fd = descriptor, .events = 0 };
	bool is_unread = poll(&polled, 1, 0) == 1 && (polled.revents & (POLLERR | POLLHUP)) != 0;
	return napi_get_boolean(env, is_unread, &result) == NAPI_OK ? result : NULL;
}
