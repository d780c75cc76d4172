// module_file.c - a module's bytes: read, sealed, checked, loaded as code.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "module_file.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cpu_features.h"
#include "sha256.h"
#include "status.h"

// Since Linux 6.3; older headers lack it and older kernels refuse it.
#ifndef MFD_EXEC
#define MFD_EXEC 0x0010U
#endif

/// A whole module as read, before it is known to be good.
typedef struct raw_module {
  uint8_t *bytes;
  uint64_t size;
  heddle_abi_trailer_t trailer;
} raw_module_t;

static heddle_status_t read_at(const char *path, int fd, uint64_t offset,
                               void *out, uint64_t size) {
  uint8_t *next = out;
  while (size) {
    ssize_t count = pread(fd, next, size, (off_t)offset);
    if (count < 0 && errno == EINTR)
      continue;
    if (count < 0)
      return heddle_fail_errno(HEDDLE_IO_ERROR, "cannot read '%s'", path);
    if (count == 0)
      return heddle_fail(HEDDLE_CORRUPT_FILE, "'%s' became shorter", path);
    next += count;
    offset += (uint64_t)count;
    size -= (uint64_t)count;
  }
  return HEDDLE_OK;
}

/// Checks what can be said about a trailer without the bytes before it.
static heddle_status_t check_trailer(const char *path, uint64_t file_size,
                                     const heddle_abi_trailer_t *trailer) {
  if (memcmp(trailer->magic, HEDDLE_ABI_TRAILER_MAGIC, HEDDLE_ABI_MAGIC_SIZE))
    return heddle_fail(HEDDLE_CORRUPT_FILE,
                       "'%s' is not a heddle module, or its end is missing",
                       path);
  if (trailer->major != HEDDLE_ABI_MAJOR)
    return heddle_fail(HEDDLE_INCOMPATIBLE,
                       "'%s' was made for module ABI %u.%u, this runtime "
                       "expects %u.x",
                       path, trailer->major, trailer->minor, HEDDLE_ABI_MAJOR);
  uint64_t size = trailer->module_size;
  if (size > file_size || size < sizeof *trailer)
    return heddle_fail(HEDDLE_CORRUPT_FILE,
                       "'%s' is truncated: expects a module of %llu bytes, "
                       "the file has %llu",
                       path, (unsigned long long)size,
                       (unsigned long long)file_size);
  uint64_t room = size - sizeof *trailer;
  if (trailer->manifest_offset % 8 || trailer->manifest_size % 8 ||
      trailer->manifest_offset > room ||
      trailer->manifest_size != room - trailer->manifest_offset)
    return heddle_fail(HEDDLE_CORRUPT_FILE,
                       "'%s' is not a valid module: its manifest does not lie "
                       "between code and trailer",
                       path);
  return HEDDLE_OK;
}

static heddle_status_t check_seal(const char *path, const raw_module_t *raw) {
  uint64_t sealed = raw->size - sizeof raw->trailer.sha256;
  heddle_abi_digest_t digest;
  heddle_sha256_of(raw->bytes, sealed, digest.bytes);
  if (memcmp(&digest, &raw->trailer.sha256, sizeof digest))
    return heddle_fail(HEDDLE_CORRUPT_FILE,
                       "'%s' was altered: its SHA-256 is not the one that it "
                       "was sealed with",
                       path);
  return HEDDLE_OK;
}

static heddle_status_t read_open_file(const char *path, int fd,
                                      raw_module_t *raw) {
  struct stat file;
  if (fstat(fd, &file) != 0)
    return heddle_fail_errno(HEDDLE_IO_ERROR, "cannot read '%s'", path);
  if (!S_ISREG(file.st_mode))
    return heddle_fail(HEDDLE_IO_ERROR, "'%s' is not a regular file", path);
  uint64_t file_size = (uint64_t)file.st_size;
  if (file_size < sizeof raw->trailer)
    return heddle_fail(HEDDLE_CORRUPT_FILE,
                       "'%s' is too short for a heddle module", path);

  heddle_status_t status = read_at(path, fd, file_size - sizeof raw->trailer,
                                   &raw->trailer, sizeof raw->trailer);
  if (status == HEDDLE_OK)
    status = check_trailer(path, file_size, &raw->trailer);
  if (status != HEDDLE_OK)
    return status;

  raw->size = raw->trailer.module_size;
  raw->bytes = malloc(raw->size);
  if (!raw->bytes)
    return heddle_fail(HEDDLE_OUT_OF_RESOURCES,
                       "no memory for the %llu bytes of '%s'",
                       (unsigned long long)raw->size, path);
  status = read_at(path, fd, file_size - raw->size, raw->bytes, raw->size);
  if (status == HEDDLE_OK)
    status = check_seal(path, raw);
  return status;
}

static heddle_status_t read_module(const char *path, raw_module_t *raw) {
  // O_NONBLOCK: a pipe in the place of a file must not make us wait.
  int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0)
    return heddle_fail_errno(HEDDLE_IO_ERROR, "cannot open '%s'", path);
  heddle_status_t status = read_open_file(path, fd, raw);
  close(fd);
  return status;
}

static heddle_status_t check_target(const char *path,
                                    const heddle_abi_manifest_t *root) {
  if (root->machine != heddle_cpu_machine())
    return heddle_fail(HEDDLE_NO_DEVICE,
                       "'%s' needs a %s processor, this is %s", path,
                       heddle_cpu_machine_name(root->machine),
                       heddle_cpu_machine_name(heddle_cpu_machine()));
  uint64_t missing = root->cpu_features & ~heddle_cpu_features();
  for (uint32_t bit = 0; bit < 64; ++bit) {
    if (!(missing >> bit & 1))
      continue;
    const char *name = heddle_cpu_feature_name(bit);
    if (name)
      return heddle_fail(HEDDLE_NO_DEVICE,
                         "'%s' needs the processor feature '%s', which this "
                         "machine lacks",
                         path, name);
    return heddle_fail(HEDDLE_NO_DEVICE,
                       "'%s' needs processor feature number %u, which this "
                       "runtime does not know",
                       path, bit);
  }
  if (!heddle_cpu_request(root->cpu_features))
    return heddle_fail(HEDDLE_NO_DEVICE,
                       "'%s' needs matrix tiles, which the operating system "
                       "refuses to this process",
                       path);
  return HEDDLE_OK;
}

static heddle_status_t write_all(int fd, const uint8_t *bytes, uint64_t size) {
  while (size) {
    ssize_t count = write(fd, bytes, size);
    if (count < 0 && errno == EINTR)
      continue;
    if (count <= 0)
      return heddle_fail_errno(HEDDLE_OUT_OF_RESOURCES,
                               "cannot write an anonymous file");
    bytes += count;
    size -= (uint64_t)count;
  }
  return HEDDLE_OK;
}

/// Loads the shared object in `bytes` from an anonymous file: what was checked
/// is what runs, whoever replaces the file meanwhile; a module inside an
/// executable loads the same way; and the dynamic linker, which takes two files
/// of the same name for one, sees a name that nobody else has while `code_fd`
/// is open.
static heddle_status_t load_code(const char *path, const uint8_t *bytes,
                                 uint64_t size, heddle_module_file_t *file) {
  int fd = memfd_create("heddle-module", MFD_CLOEXEC | MFD_EXEC);
  if (fd < 0 && errno == EINVAL)
    fd = memfd_create("heddle-module", MFD_CLOEXEC);
  if (fd < 0)
    return heddle_fail_errno(HEDDLE_OUT_OF_RESOURCES,
                             "cannot create an anonymous file");
  heddle_status_t status = write_all(fd, bytes, size);
  if (status == HEDDLE_OK) {
    char name[32];
    snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
    file->code = dlopen(name, RTLD_NOW | RTLD_LOCAL);
    if (!file->code)
      status = heddle_fail(HEDDLE_CORRUPT_FILE, "cannot load '%s': %s", path,
                           dlerror());
  }
  if (status != HEDDLE_OK) {
    close(fd);
    return status;
  }
  file->code_fd = fd;
  return HEDDLE_OK;
}

static heddle_status_t take_module(const char *path, int info_only,
                                   const raw_module_t *raw,
                                   heddle_module_file_t *file) {
  uint64_t manifest_size = raw->trailer.manifest_size;
  file->bytes = malloc(manifest_size ? manifest_size : 1);
  if (!file->bytes)
    return heddle_fail(HEDDLE_OUT_OF_RESOURCES, "no memory for a manifest");
  memcpy(file->bytes, raw->bytes + raw->trailer.manifest_offset, manifest_size);

  heddle_status_t status =
      heddle_manifest_check(path, file->bytes, manifest_size, &file->manifest);
  if (status != HEDDLE_OK || info_only)
    return status;
  status = check_target(path, heddle_manifest_root(&file->manifest));
  if (status != HEDDLE_OK)
    return status;
  return load_code(path, raw->bytes, raw->trailer.manifest_offset, file);
}

heddle_status_t heddle_module_file_open(const char *path, int info_only,
                                        heddle_module_file_t *out_file) {
  raw_module_t raw = {0};
  heddle_module_file_t file = {0};
  heddle_status_t status = read_module(path, &raw);
  if (status == HEDDLE_OK)
    status = take_module(path, info_only, &raw, &file);
  free(raw.bytes);
  if (status != HEDDLE_OK) {
    heddle_module_file_close(&file);
    return status;
  }
  *out_file = file;
  return HEDDLE_OK;
}

void heddle_module_file_close(heddle_module_file_t *file) {
  if (file->code) {
    dlclose(file->code);
    close(file->code_fd);
  }
  free(file->bytes);
}
