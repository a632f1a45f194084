/* Keeps Chromium from listening for changes of the machine's networks: a container that starts or stops is one, and
   then Chromium gives up every page that is loading (ERR_NETWORK_CHANGED). Without such news it takes the machine for
   online. Built by the tests with `cc -shared -fPIC -O2 -o network-news.so network-news.c`. */
#define _GNU_SOURCE
#include <errno.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

int socket(int domain, int type, int protocol) {
  if (domain == AF_NETLINK) {
    errno = EACCES;
    return -1;
  }
  return (int)syscall(SYS_socket, domain, type, protocol);
}
