// The region's owner and its door, seen from the other side of the socket: descriptors come across, map
// and check; one control at a time; a successor finds a clean command ring; a stale socket is
// replaced, a live one respected.
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "app/door.h"
#include "app/folder.h"

static char folder[64], run_dir[96], reason[TD_DOOR_REASON_MAX];
static struct td_share share;
static struct td_door door;

static void setup(void)
{
	struct td_region_sizes sizes = { .worker_count = 2, .stream_count = 8, .prompt_count = 1 };

	snprintf(folder, sizeof folder, "/tmp/tandem-door-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	snprintf(run_dir, sizeof run_dir, "%s/a/b", folder);
	ck_assert_int_eq(td_share_create(&sizes, 42, 1, &share, reason), 0);
	ck_assert_int_eq(td_door_open(&door, run_dir, reason), 0);
}

static void teardown(void)
{
	char path[128];

	td_door_close(&door);
	td_share_destroy(&share);
	ck_assert_int_eq(access(door.path, F_OK), -1);
	rmdir(run_dir);
	snprintf(path, sizeof path, "%s/a", folder);
	rmdir(path);
	ck_assert_int_eq(rmdir(folder), 0);
}

static int connect_door(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	snprintf(address.sun_path, sizeof address.sun_path, "%s", door.path);
	ck_assert_int_eq(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
	return fd;
}

// Receives the hello; returns how many descriptors came with it.
static unsigned take_hello(int fd, struct td_region_hello *hello, int fds[TD_REGION_FD_COUNT])
{
	union {
		struct cmsghdr align;
		char space[CMSG_SPACE(sizeof(int) * TD_REGION_FD_COUNT)];
	} control;
	struct iovec bytes = { hello, sizeof *hello };
	struct msghdr message = { .msg_iov = &bytes,
				  .msg_iovlen = 1,
				  .msg_control = control.space,
				  .msg_controllen = sizeof control.space };
	const struct cmsghdr *header;

	ck_assert_int_eq(recvmsg(fd, &message, MSG_CMSG_CLOEXEC), sizeof *hello);
	header = CMSG_FIRSTHDR(&message);
	if (!header)
		return 0;
	memcpy(fds, CMSG_DATA(header), sizeof(int) * TD_REGION_FD_COUNT);
	return (unsigned)((header->cmsg_len - CMSG_LEN(0)) / sizeof(int));
}

START_TEST(test_attach)
{
	struct td_region_hello hello;
	struct td_region region;
	int fd, fds[TD_REGION_FD_COUNT];
	char why[TD_REGION_REASON_MAX];
	eventfd_t count;
	void *memory;

	fd = connect_door();
	ck_assert_int_eq(td_door_accept(&door, &share), TD_DOOR_ATTACHED);
	ck_assert_uint_eq(take_hello(fd, &hello, fds), TD_REGION_FD_COUNT);
	ck_assert_uint_eq(hello.cookie, TD_REGION_COOKIE);
	ck_assert_uint_eq(hello.version, TD_REGION_VERSION);
	ck_assert_int_eq(hello.result, 0);
	memory = mmap(NULL, hello.total_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fds[0], 0);
	ck_assert_ptr_ne(memory, MAP_FAILED);
	ck_assert_int_eq(td_region_check(memory, hello.total_bytes, &region, why), 0);
	ck_assert_uint_eq(region.header->boot_id, 42);
	// Sealed: the peer cannot take the memory away.
	ck_assert_int_eq(ftruncate(fds[0], 0), -1);
	ck_assert_int_eq(eventfd_write(fds[1], 1), 0);
	td_share_quiet_bell(&share);
	ck_assert_int_eq(eventfd_read(fds[1], &count), -1);
	munmap(memory, hello.total_bytes);
	for (int i = 0; i < TD_REGION_FD_COUNT; i++)
		close(fds[i]);
	ck_assert(!td_door_client_gone(&door));
	close(fd);
	ck_assert(td_door_client_gone(&door));
	ck_assert(!td_door_client_gone(&door));
}
END_TEST

START_TEST(test_second_is_refused)
{
	struct td_region_hello hello;
	int first = connect_door(), second = connect_door(), fds[TD_REGION_FD_COUNT];
	char byte;

	ck_assert_int_eq(td_door_accept(&door, &share), TD_DOOR_ATTACHED);
	ck_assert_int_eq(td_door_accept(&door, &share), TD_DOOR_REFUSED);
	ck_assert_int_eq(td_door_accept(&door, &share), TD_DOOR_NOTHING);
	ck_assert_uint_eq(take_hello(second, &hello, fds), 0);
	ck_assert_int_eq(hello.result, -TD_EBUSY);
	ck_assert_int_eq(recv(second, &byte, 1, 0), 0);
	ck_assert(!td_door_client_gone(&door));
	close(second);
	// The first ends; the next attaches even before anybody noticed.
	close(first);
	second = connect_door();
	ck_assert_int_eq(td_door_accept(&door, &share), TD_DOOR_ATTACHED);
	close(second);
}
END_TEST

START_TEST(test_chatter_is_ignored)
{
	int fd = connect_door();

	ck_assert_int_eq(td_door_accept(&door, &share), TD_DOOR_ATTACHED);
	ck_assert_int_eq(send(fd, "nonsense", 8, 0), 8);
	ck_assert(!td_door_client_gone(&door));
	ck_assert(!td_door_client_gone(&door));
	close(fd);
	ck_assert(td_door_client_gone(&door));
}
END_TEST

START_TEST(test_live_socket_is_respected)
{
	struct td_door other;

	ck_assert_int_eq(td_door_open(&other, run_dir, reason), -TD_EBUSY);
	ck_assert_ptr_nonnull(strstr(reason, "another tandem-dataplane"));
	ck_assert_int_eq(access(door.path, F_OK), 0);
}
END_TEST

START_TEST(test_stale_socket_is_replaced)
{
	struct stat info;

	close(door.listener); // a process that was killed
	ck_assert_int_eq(access(door.path, F_OK), 0);
	ck_assert_int_eq(td_door_open(&door, run_dir, reason), 0);
	close(connect_door());
	ck_assert_int_eq(stat(door.path, &info), 0);
	ck_assert_uint_eq(info.st_mode & 0777, 0600);
}
END_TEST

START_TEST(test_path_too_long)
{
	char path[128];
	struct td_door other;

	memset(path, 'x', sizeof path);
	path[0] = '/';
	path[sizeof path - 1] = '\0';
	ck_assert_int_eq(td_door_open(&other, path, reason), -TD_EINVALID);
	ck_assert_ptr_nonnull(strstr(reason, "system.run_dir"));
}
END_TEST

START_TEST(test_bell_rings_for_every_thread_once)
{
	struct td_ring_view producer;
	struct td_event event = { 0 };
	eventfd_t count;

	ck_assert(!td_share_ring_bell(&share));
	for (uint32_t thread = 0; thread < 3; thread++) {
		ck_assert_int_eq(td_region_attach_events(&share.region, thread, 1, &producer), 0);
		ck_assert_int_eq(td_ring_push(&producer, &event), 0);
		ck_assert(td_share_ring_bell(&share));
		ck_assert(!td_share_ring_bell(&share));
		ck_assert_int_eq(eventfd_read(share.event_bell, &count), 0);
		ck_assert_int_eq(eventfd_read(share.event_bell, &count), -1);
	}
}
END_TEST

START_TEST(test_damaged_and_left_over_commands)
{
	struct td_ring_view producer;
	struct td_command command = { .request_id = 1 };

	ck_assert_int_eq(td_region_attach_commands(&share.region, 1, &producer), 0);
	ck_assert_int_eq(td_ring_push(&producer, &command), 0);
	td_share_forget_commands(&share);
	ck_assert_int_eq(td_ring_pop(&share.commands, &command), -TD_EEMPTY);
	atomic_store(&share.commands.shared->head, share.commands.own + TD_COMMAND_SLOTS + 1);
	ck_assert_int_eq(td_ring_pop(&share.commands, &command), -TD_ECORRUPT);
	td_share_forget_commands(&share);
	ck_assert_int_eq(td_region_attach_commands(&share.region, 1, &producer), 0);
	command.request_id = 7;
	ck_assert_int_eq(td_ring_push(&producer, &command), 0);
	ck_assert_int_eq(td_ring_pop(&share.commands, &command), 0);
	ck_assert_uint_eq(command.request_id, 7);
}
END_TEST

// A client may push the moment it has its hello, so what is to be forgotten must be gone by then.
START_TEST(test_forgotten_before_the_hello)
{
	struct td_ring_view producer;
	struct td_command command = { .request_id = 1 };
	int fd = connect_door();

	ck_assert_int_eq(td_region_attach_commands(&share.region, 1, &producer), 0);
	ck_assert_int_eq(td_ring_push(&producer, &command), 0);
	ck_assert_int_eq(td_door_accept(&door, &share), TD_DOOR_ATTACHED);
	ck_assert_int_eq(td_ring_pop(&share.commands, &command), -TD_EEMPTY);
	close(fd);
}
END_TEST

START_TEST(test_folder)
{
	char path[200];

	snprintf(path, sizeof path, "%s/x/y//z", folder);
	ck_assert_int_eq(td_folder_make(path), 0);
	ck_assert_int_eq(td_folder_make(path), 0);
	ck_assert_int_eq(rmdir(path), 0);
	snprintf(path, sizeof path, "%s/x/y", folder);
	rmdir(path);
	snprintf(path, sizeof path, "%s/x", folder);
	rmdir(path);
	ck_assert_int_eq(td_folder_make(""), -TD_EIO);
	ck_assert_int_eq(td_folder_make("/proc/nothing/here"), -TD_EIO);
	ck_assert_int_ne(errno, 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("door");
	TCase *tests = tcase_create("all");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, test_attach);
	tcase_add_test(tests, test_second_is_refused);
	tcase_add_test(tests, test_chatter_is_ignored);
	tcase_add_test(tests, test_live_socket_is_respected);
	tcase_add_test(tests, test_stale_socket_is_replaced);
	tcase_add_test(tests, test_path_too_long);
	tcase_add_test(tests, test_bell_rings_for_every_thread_once);
	tcase_add_test(tests, test_damaged_and_left_over_commands);
	tcase_add_test(tests, test_forgotten_before_the_hello);
	tcase_add_test(tests, test_folder);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
