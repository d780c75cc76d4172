// main.c - the program that `heddle compile --emit=exe` puts before a module.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runner.h"

static const char help[] =
    "usage: %s --input NAME=FILE.npy ... [options]\n"
    "\n"
    "Runs the model that this program carries. Its weights file, if it has "
    "one,\n"
    "is expected beside the program.\n"
    "\n"
    "  --input NAME=FILE.npy   a value for the input NAME; once per input\n"
    "  --output DIR            write every output to DIR/NAME.npy\n"
    "  --threads N             number of threads; default: one per core\n"
    "  --entry NAME            the function to run; default: the first\n"
    "  --weights FILE          the weights file, if it lies elsewhere\n"
    "  --help                  this text\n"
    "\n"
    "Exit codes: 0 done, 1 the input is at fault, 77 this machine cannot run\n"
    "the model.\n";

static int usage_error(const char *text, const char *argument) {
  fprintf(stderr, "error: %s '%s'; --help explains the options\n", text,
          argument);
  return HEDDLE_EXIT_INPUT;
}

/// Splits NAME=FILE in place.
static int parse_input(char *argument, heddle_run_input_t *out) {
  char *separator = strchr(argument, '=');
  if (!separator || separator == argument || !separator[1])
    return 0;
  *separator = 0;
  out->name = argument;
  out->path = separator + 1;
  return 1;
}

static int parse_threads(const char *text, uint32_t *out) {
  char *end;
  unsigned long count = strtoul(text, &end, 10);
  if (*text < '0' || *text > '9' || *end || count == 0 || count > 1024)
    return 0;
  *out = (uint32_t)count;
  return 1;
}

/// Takes option `name` with its value, written as `--name VALUE` or
/// `--name=VALUE`, and advances `index` past them. Returns NULL if argument
/// `index` is another option, and "" if the value is missing.
static char *take_option(int argc, char **argv, int *index, const char *name) {
  static char missing[] = "";
  size_t length = strlen(name);
  char *argument = argv[*index];
  if (strncmp(argument, name, length) != 0)
    return NULL;
  if (argument[length] == '=')
    return argument + length + 1;
  if (argument[length])
    return NULL;
  if (*index + 1 == argc)
    return missing;
  return argv[++*index];
}

/// Fills in `request` from the command line. Returns an exit code; `inputs` has
/// room for argc elements.
static int parse(int argc, char **argv, heddle_run_input_t *inputs,
                 heddle_run_request_t *request) {
  for (int i = 1; i < argc; ++i) {
    const char *argument = argv[i];
    char *value;
    if ((value = take_option(argc, argv, &i, "--input"))) {
      if (!parse_input(value, &inputs[request->input_count++]))
        return usage_error("expects --input NAME=FILE.npy, got", value);
    } else if ((value = take_option(argc, argv, &i, "--threads"))) {
      if (!parse_threads(value, &request->threads))
        return usage_error("expects --threads from 1 to 1024, got", value);
    } else if ((value = take_option(argc, argv, &i, "--output"))) {
      request->output_folder = value;
    } else if ((value = take_option(argc, argv, &i, "--entry"))) {
      request->entry = value;
    } else if ((value = take_option(argc, argv, &i, "--weights"))) {
      request->weights_path = value;
    } else {
      return usage_error("unknown argument", argument);
    }
    if (!*value)
      return usage_error("a value is missing after", argument);
  }
  return HEDDLE_EXIT_OK;
}

int main(int argc, char **argv) {
  for (int i = 1; i < argc; ++i)
    if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
      printf(help, argv[0]);
      return HEDDLE_EXIT_OK;
    }
  heddle_run_input_t *inputs = calloc((size_t)argc + 1, sizeof *inputs);
  // The weights lie beside the program, whatever the folder it is run from.
  char *path = realpath("/proc/self/exe", NULL);
  if (!inputs || !path) {
    fprintf(stderr, "error: cannot find this program's file\n");
    free(inputs);
    free(path);
    return HEDDLE_EXIT_INPUT;
  }
  heddle_run_request_t request = {.model_path = path, .inputs = inputs};
  int code = parse(argc, argv, inputs, &request);
  if (code == HEDDLE_EXIT_OK)
    code = heddle_run(&request);
  free(inputs);
  free(path);
  return code;
}
