/* Makes the n-th file operation of a process tree fail, or lets the process die there.

Loaded with LD_PRELOAD, so it sees what Python and every library below it ask of the C library. What
to do is in a file that all processes share, named by FAULTS and written by faults.py, which has the
same `struct control`. Only operations on raw tables, results and `.emodag` below `root` count.

Not seen: memory maps, reads of directories after they were opened, and the C library's own calls
(fopen), which nothing here uses for those files. */

#include <dlfcn.h>
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/types.h>

/* Without the headers that declare what is defined here, with types that differ between systems. */
long syscall(long, ...);
int snprintf(char *, size_t, const char *, ...);
enum { READ_WRITE = 02, WRITES = 03, AT_CWD = -100, NOFOLLOW = 0x100, REMOVEDIR = 0x200, OF_FILE = 0x1000 };
#define FICLONE 0x40049409ul
#define CLOSE_ON_EXEC 02000000

#define LONGEST 1024
#define MOST 20000

enum kind { DIE = -1, DIE_WITHIN = -2 }; /* the second after half of a write; else an errno */

struct control {
    char root[LONGEST];
    int64_t armed, point, kind, seen;
    struct { char name[16], path[112]; } operations[MOST];
    int64_t dirty;             /* how many of the following are in use */
    uint64_t unsynced[MOST]; /* inodes of files written to since the last fsync; 0: synced */
};

static struct control *control;

__attribute__((constructor)) static void begin(void) {
    const char *name = getenv("FAULTS");
    int file = name ? syscall(SYS_openat, AT_CWD, name, READ_WRITE | CLOSE_ON_EXEC, 0) : -1;
    if (file < 0) return;
    void *shared = mmap(0, sizeof *control, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    control = shared == MAP_FAILED ? 0 : shared;
    syscall(SYS_close, file);
}

/* The absolute path of a file named as in openat(2), or, without a name, of an open file. */
static int locate(int at, const char *path, char *found) {
    char link[32];
    ssize_t length = 0;
    if (!path || path[0] != '/') {
        if (at == AT_CWD) strcpy(link, "/proc/self/cwd");
        else snprintf(link, sizeof link, "/proc/self/fd/%d", at);
        length = syscall(SYS_readlinkat, AT_CWD, link, found, LONGEST - 1);
        if (length < 0) return 0;
        if (path && path[0]) found[length++] = '/';
    }
    found[length] = 0;
    if (path) strncpy(found + length, path, LONGEST - 1 - length);
    found[LONGEST - 1] = 0;
    return 1;
}

static const char *below(const char *path) {
    size_t length = strlen(control->root);
    if (strncmp(path, control->root, length) || path[length] != '/') return 0;
    const char *rest = path + length + 1, *end = strrchr(rest, '.');
    for (const char **part = (const char *[]){"results", ".emodag", 0}; *part; part++)
        if (!strncmp(rest, *part, strlen(*part)) && strchr("/", rest[strlen(*part)])) return rest;
    return end && !strchr(rest, '/') && !strncmp(end, ".csv", 4) ? rest : 0;
}

static void die(void) {
    syscall(SYS_kill, syscall(SYS_getpid), SIGKILL);
}

/* Whether this operation shall fail, errno set; 2 where half of a write shall be done first. */
static int fails(const char *name, int at, const char *path) {
    char whole[LONGEST];
    const char *rest;
    if (!control || !control->armed) return 0;
    int before = errno;
    if (!locate(at, path, whole) || !(rest = below(whole))) {
        errno = before;
        return 0;
    }
    errno = before;
    int64_t now = __atomic_add_fetch(&control->seen, 1, __ATOMIC_SEQ_CST);
    if (now <= MOST) {
        strncpy(control->operations[now - 1].name, name, 15);
        strncpy(control->operations[now - 1].path, rest, 111);
    }
    if (now != control->point) return 0;
    if (control->kind == DIE_WITHIN && !strcmp(name, "write")) return 2;
    if (control->kind < 0) die();
    errno = control->kind;
    return 1;
}

/* Notes that a file was written to, or that all of it has reached the disk. */
static void note(int file, int is_synced) {
    char whole[LONGEST];
    struct { uint64_t device, inode, rest[30]; } status;
    if (!control || !control->armed || !locate(file, 0, whole) || !below(whole)) return;
    if (syscall(SYS_newfstatat, file, "", &status, OF_FILE)) return;
    for (int64_t n = 0; n < control->dirty; n++)
        if (control->unsynced[n] == status.inode) {
            if (is_synced) control->unsynced[n] = 0;
            return;
        }
    if (!is_synced && control->dirty < MOST) control->unsynced[control->dirty++] = status.inode;
}

static int opened(const char *name, int at, const char *path, int flags, mode_t mode) {
    if (fails(flags & WRITES ? name : "open to read", at, path)) return -1;
    return syscall(SYS_openat, at, path, flags, mode);
}

#define OPEN(NAME)                                        \
    int NAME(const char *path, int flags, ...) {          \
        va_list rest;                                     \
        va_start(rest, flags);                            \
        mode_t mode = va_arg(rest, int);                  \
        va_end(rest);                                     \
        return opened("open", AT_CWD, path, flags, mode); \
    }
#define OPENAT(NAME)                                      \
    int NAME(int at, const char *path, int flags, ...) {  \
        va_list rest;                                     \
        va_start(rest, flags);                            \
        mode_t mode = va_arg(rest, int);                  \
        va_end(rest);                                     \
        return opened("openat", at, path, flags, mode);   \
    }
OPEN(open) OPEN(open64) OPENAT(openat) OPENAT(openat64)

void *opendir(const char *path) {
    static void *(*real)(const char *);
    if (!real) real = (void *(*)(const char *)) dlsym((void *)-1l, "opendir");
    return fails("opendir", AT_CWD, path) ? 0 : real(path);
}

#define WRITE(NAME, PARAMETERS, ...)         \
    ssize_t NAME PARAMETERS {                \
        int how = fails("write", file, 0);   \
        if (how == 1) return -1;             \
        if (how == 2) size /= 2;             \
        ssize_t done = syscall(__VA_ARGS__); \
        note(file, 0);                       \
        if (how == 2) die();                 \
        return done;                         \
    }
WRITE(write, (int file, const void *from, size_t size), SYS_write, file, from, size)
WRITE(pwrite, (int file, const void *from, size_t size, off_t at), SYS_pwrite64, file, from, size, at)
WRITE(pwrite64, (int file, const void *from, size_t size, off_t at), SYS_pwrite64, file, from, size, at)
WRITE(sendfile, (int file, int source, off_t *at, size_t size), SYS_sendfile, file, source, at, size)
WRITE(sendfile64, (int file, int source, off_t *at, size_t size), SYS_sendfile, file, source, at, size)

#define SYNC(NAME)                           \
    int NAME(int file) {                     \
        if (fails(#NAME, file, 0)) return -1; \
        int status = syscall(SYS_##NAME, file); \
        if (!status) note(file, 1);          \
        return status;                       \
    }
SYNC(fsync) SYNC(fdatasync)

int ioctl(int file, unsigned long what, ...) {
    va_list rest;
    va_start(rest, what);
    void *argument = va_arg(rest, void *);
    va_end(rest);
    if (what == FICLONE && fails("clone", file, 0)) return -1;
    int status = syscall(SYS_ioctl, file, what, argument);
    if (what == FICLONE && !status) note(file, 0);
    return status;
}

/* A file is closed even where close(2) reports that its content could not be written. */
int close(int file) {
    int how = fails("close", file, 0), why = errno;
    int status = syscall(SYS_close, file);
    if (how) errno = why;
    return how ? -1 : status;
}

#define CALL(NAME, PARAMETERS, AT, PATH, ...)     \
    long NAME PARAMETERS {                        \
        if (fails(#NAME, AT, PATH)) return -1;    \
        return syscall(__VA_ARGS__);              \
    }
#define PATHS int from, const char *path, int to, const char *target
CALL(read, (int file, void *to, size_t size), file, 0, SYS_read, file, to, size)
CALL(pread, (int file, void *to, size_t size, off_t at), file, 0, SYS_pread64, file, to, size, at)
CALL(pread64, (int file, void *to, size_t size, off_t at), file, 0, SYS_pread64, file, to, size, at)
CALL(rename, (const char *path, const char *target), AT_CWD, target, SYS_renameat2, AT_CWD, path, AT_CWD, target, 0)
CALL(renameat, (PATHS), to, target, SYS_renameat2, from, path, to, target, 0)
CALL(link, (const char *path, const char *target), AT_CWD, target, SYS_linkat, AT_CWD, path, AT_CWD, target, 0)
CALL(linkat, (PATHS, int flags), to, target, SYS_linkat, from, path, to, target, flags)
CALL(unlink, (const char *path), AT_CWD, path, SYS_unlinkat, AT_CWD, path, 0)
CALL(unlinkat, (int at, const char *path, int flags), at, path, SYS_unlinkat, at, path, flags)
CALL(rmdir, (const char *path), AT_CWD, path, SYS_unlinkat, AT_CWD, path, REMOVEDIR)
CALL(mkdir, (const char *path, mode_t mode), AT_CWD, path, SYS_mkdirat, AT_CWD, path, mode)
CALL(mkdirat, (int at, const char *path, mode_t mode), at, path, SYS_mkdirat, at, path, mode)
CALL(chmod, (const char *path, mode_t mode), AT_CWD, path, SYS_fchmodat, AT_CWD, path, mode)
CALL(fchmod, (int file, mode_t mode), file, 0, SYS_fchmod, file, mode)
CALL(truncate, (const char *path, off_t size), AT_CWD, path, SYS_truncate, path, size)
CALL(truncate64, (const char *path, off_t size), AT_CWD, path, SYS_truncate, path, size)
CALL(ftruncate, (int file, off_t size), file, 0, SYS_ftruncate, file, size)
CALL(ftruncate64, (int file, off_t size), file, 0, SYS_ftruncate, file, size)
CALL(utimensat, (int at, const char *path, const void *times, int flags), at, path, SYS_utimensat, at, path, times, flags)
CALL(flock, (int file, int how), file, 0, SYS_flock, file, how)
CALL(stat, (const char *path, void *found), AT_CWD, path, SYS_newfstatat, AT_CWD, path, found, 0)
CALL(stat64, (const char *path, void *found), AT_CWD, path, SYS_newfstatat, AT_CWD, path, found, 0)
CALL(lstat, (const char *path, void *found), AT_CWD, path, SYS_newfstatat, AT_CWD, path, found, NOFOLLOW)
CALL(lstat64, (const char *path, void *found), AT_CWD, path, SYS_newfstatat, AT_CWD, path, found, NOFOLLOW)
CALL(fstat, (int file, void *found), file, 0, SYS_newfstatat, file, "", found, OF_FILE)
CALL(fstat64, (int file, void *found), file, 0, SYS_newfstatat, file, "", found, OF_FILE)
CALL(fstatat, (int at, const char *path, void *found, int flags), at, path, SYS_newfstatat, at, path, found, flags)
CALL(fstatat64, (int at, const char *path, void *found, int flags), at, path, SYS_newfstatat, at, path, found, flags)
