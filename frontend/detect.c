/* Kinds of files: first bytes, zip entry names, and the one line said about a file of the wrong kind. */
#include "frontend/detect.h"

#include <strings.h>

#include "frontend/scan.h"
#include "frontend/text.h"

/* ---- what is said about each kind ---- */

#define WEIGHTS_ONLY                                                                                                   \
  "it holds weights but no code: give them to an archive of the model (tsrun MODEL.pt INPUT --weights FILE), or load them in Python and export with torch.jit.script(model).save(...)"

/* clang-format off */
static const struct {
  const char *id;   /* in JSON */
  const char *name; /* "this is …" */
  const char *todo;
} kinds[] = {
    [TSR_FILE_TORCHSCRIPT] = {"torchscript", "a TorchScript archive", NULL},
    [TSR_FILE_TORCHSCRIPT_LEGACY] = {"torchscript_legacy", "a TorchScript archive of PyTorch 1.0-1.2", NULL},
    [TSR_FILE_LITE] = {"lite", "a TorchScript archive for the lite interpreter", NULL},
    [TSR_FILE_TORCH_ZIP] = {"torch_zip", "a state dict or checkpoint of torch.save",
                            WEIGHTS_ONLY},
    [TSR_FILE_TORCH_STREAM] = {"torch_stream", "a state dict or checkpoint of torch.save in its format before 1.6",
                               WEIGHTS_ONLY},
    [TSR_FILE_TORCH_TAR] = {"torch_tar", "a tar file of torch.save before 0.2",
                            WEIGHTS_ONLY},
    [TSR_FILE_TORCH_PACKAGE] = {"torch_package", "a torch.package archive", "load it with torch.package.PackageImporter and save the scripted model with torch.jit.save"},
    [TSR_FILE_PT2] = {"pt2", "an exported program of torch.export (.pt2)", "export the model with torch.jit.script(model).save(...) or torch.jit.trace instead"},
    [TSR_FILE_MAR] = {"mar", "a model archive of TorchServe (.mar)", "unzip it and give the .pt file inside"},
    [TSR_FILE_FLATBUFFER] = {"flatbuffer", "a lite interpreter flatbuffer (.ff)", "save the model with torch.jit.save instead"},
    [TSR_FILE_ZIP] = {"zip", "a zip file, but not one of PyTorch", "give the file that torch.jit.save wrote"},
    [TSR_FILE_NPZ] = {"npz", "an npz file of NumPy arrays", "it can be an input, not a model"},
    [TSR_FILE_NPY] = {"npy", "an npy file of one NumPy array", "it can be an input, not a model"},
    [TSR_FILE_SAFETENSORS] = {"safetensors", "a safetensors file",
                              WEIGHTS_ONLY},
    [TSR_FILE_ONNX] = {"onnx", "an ONNX model", "run it with ONNX Runtime, or export the PyTorch model with torch.jit.script(model).save(...)"},
    [TSR_FILE_GGUF] = {"gguf", "a GGUF model", "run it with llama.cpp"},
    [TSR_FILE_HDF5] = {"hdf5", "an HDF5 file", "export the model from PyTorch with torch.jit.script(model).save(...)"},
    [TSR_FILE_PICKLE] = {"pickle", "a Python pickle", "export the model with torch.jit.script(model).save(...)"},
    [TSR_FILE_PREVIEW] = {"preview", "a file of a PyTorch 1.0 preview", "save it again with PyTorch 1.0 or later"},
    [TSR_FILE_HTML] = {"html", "an HTML page", "the download failed (a login or error page was saved): download the file again"},
    [TSR_FILE_LFS_POINTER] = {"lfs_pointer", "a Git LFS pointer, not the file itself", "run git lfs pull"},
    [TSR_FILE_TRUNCATED_ZIP] = {"truncated_zip", "a zip file cut short or damaged", "the download is not complete: download or copy it again"},
    [TSR_FILE_PACKED] = {"packed", "a compressed file or a tar", "unpack it and give the file inside"},
    [TSR_FILE_MEDIA] = {"media", "a picture or a recording", "decode it and give its numbers as .npy, of the shape and type that the model takes"},
    [TSR_FILE_EMPTY] = {"empty", "an empty file", "the download or the save failed"},
    [TSR_FILE_DIRECTORY] = {"directory", "a directory", "give the file that torch.jit.save wrote"},
    [TSR_FILE_UNKNOWN] = {"unknown", "not a file of a kind tsrun knows", "a model is what torch.jit.save wrote, an input .npy, .npz, .pt, .safetensors or .json"},
};
/* clang-format on */

const char *tsr_file_kind_name(tsr_file_kind k) { return (size_t)k < TSR_COUNT(kinds) ? kinds[k].name : "unknown"; }

const char *tsr_file_kind_id(tsr_file_kind k) { return (size_t)k < TSR_COUNT(kinds) ? kinds[k].id : "unknown"; }
const char *tsr_file_kind_advice(tsr_file_kind k) {
  return (size_t)k < TSR_COUNT(kinds) && kinds[k].todo != NULL ? kinds[k].todo : "";
}

/* torch.save of a whole object, not of its weights: the pickle begins with the object's class.  *cls gets
 * "module.Name". */
static bool pickled_class(const tsr_archive *a, tsr_shown *cls, tsr_scan_trust *trust) {
  size_t index, len = 0;
  const void *data = NULL;
  tsr_errrec scratch = {0};
  if (tsr_archive_kind(a) != TSR_FILE_TORCH_ZIP || !tsr_archive_find(a, "data.pkl", &index)) return false;
  tsr_status st = tsr_archive_read((tsr_archive *)(uintptr_t)a, index, &scratch, &data, &len); /* fills a cache only */
  tsr_errrec_dispose(&scratch);
  const char *p = (const char *)data + 3, *end = (const char *)data + len;
  if (st != TSR_OK || len < 8 || p[-1] != 'c') return false;
  const char *dot = memchr(p, '\n', (size_t)(end - p)),
             *last = dot != NULL ? memchr(dot + 1, '\n', (size_t)(end - dot - 1)) : NULL;
  if (last == NULL || last - p > 200) return false;
  char text[200];
  size_t n = (size_t)(last - p);
  memcpy(text, p, n);
  text[dot - p] = '.';
  if (n > 13 && (memcmp(text, "torch._utils.", 13) == 0 || memcmp(text, "torch._tensor", 13) == 0 ||
                 memcmp(text, "collections.O", 13) == 0))
    return false;
  *cls = tsr_show(text, n);
  *trust = tsr_scan_trust_of(text, n);
  return true;
}

tsr_status tsr_archive_fail_kind(const tsr_archive *a, tsr_errrec *e) {
  tsr_file_kind k = tsr_archive_kind(a);
  const char *path = tsr_archive_path(a), *colon = path != NULL ? ": " : "";
  tsr_shown file = tsr_show(path != NULL ? path : "", path != NULL ? strlen(path) : 0), cls;
  tsr_scan_trust trust;
  bool pickled = pickled_class(a, &cls, &trust);
  if (pickled && trust == TSR_TRUST_DANGEROUS)
    return tsr_fail(e, TSR_EFORMAT, "%s%sthis is a pickle that calls %s in Python: do not load it there (tsrun scan says what it would do)", file.text, colon, cls.text);
  if (pickled)
    return tsr_fail(e, TSR_EFORMAT,
                    "%s%sthis is a pickled Python object of class %s: load it in Python and export with "
                    "torch.jit.script(model).save(...)",
                    file.text, colon, cls.text);
  return tsr_fail(e, TSR_EFORMAT, "%s%sthis is %s: %s", file.text, colon, kinds[k].name,
                  kinds[k].todo != NULL ? kinds[k].todo : "it is a model, not a file of values");
}

/* ---- first bytes ---- */

static bool starts(const uint8_t *p, size_t len, const char *magic, size_t n) {
  return len >= n && memcmp(p, magic, n) == 0;
}

static uint64_t le64(const uint8_t *p) {
  uint64_t v = 0;
  for (int i = 7; i >= 0; i--) v = v << 8 | p[i];
  return v;
}

static bool contains(const uint8_t *p, size_t len, const char *s, size_t n) { return memmem(p, len, s, n) != NULL; }

/* torch.save before 1.6: a pickle of the magic number, of whatever protocol. */
static bool is_stream(const uint8_t *p, size_t len) {
  static const char magic[] = "\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19."; /* LONG1 … STOP */
  static const char text[] = "L119547037146038801333356L\n.";
  return starts(p, len, text, sizeof text - 1) ||
         (len > 2 && p[0] == 0x80 && contains(p, TSR_MIN(len, 32), magic, sizeof magic - 1));
}

static bool has_tar_header(const uint8_t *p) {
  if (memcmp(p + 257, "ustar", 5) == 0) return true;
  unsigned sum = 0, want = 0; /* old tars have no magic: their checksum tells */
  for (size_t i = 0; i < 512; i++) sum += i >= 148 && i < 156 ? ' ' : p[i];
  size_t i = 148;
  while (i < 156 && p[i] == ' ') i++;
  for (; i < 156 && p[i] >= '0' && p[i] <= '7'; i++) want = want * 8 + (unsigned)(p[i] - '0');
  return want == sum;
}

/* A tar whose first member is one of those torch.save wrote. */
static bool is_torch_tar(const uint8_t *p, size_t len) {
  static const char *const members[] = {"sys_info", "pickle", "storages", "tensors"};
  if (len < 512 || !has_tar_header(p)) return false;
  const char *name = (const char *)p;
  if (name[0] == '.' && name[1] == '/') name += 2;
  for (size_t i = 0; i < TSR_COUNT(members); i++)
    if (strncmp(name, members[i], 90) == 0) return true;
  return false;
}

/* A header of a sane length that begins as JSON does; also of a file cut short. */
static bool is_safetensors(const uint8_t *p, size_t len) {
  return len >= 10 && p[8] == '{' && memchr("\"} \n", p[9], 4) != NULL && le64(p) >= 2 && le64(p) <= 100000000;
}

static bool varint(const uint8_t *p, size_t len, size_t *at, uint64_t *v) {
  *v = 0;
  for (int shift = 0; shift < 64 && *at < len; shift += 7) {
    uint8_t b = p[(*at)++];
    *v |= (uint64_t)(b & 0x7f) << shift;
    if (b < 0x80) return true;
  }
  return false;
}

/* A ModelProto: field 1 is a small ir_version, the next fields lie inside the file and have known numbers. */
static bool is_onnx(const uint8_t *p, size_t len) {
  size_t at = 1;
  uint64_t v;
  if (len < 16 || p[0] != 0x08 || !varint(p, len, &at, &v) || v == 0 || v > 100) return false;
  for (int fields = 0; fields < 4 && at < len; fields++) {
    uint8_t key = p[at++];
    if (key == 0x28) { /* model_version */
      if (!varint(p, len, &at, &v)) return false;
    } else if (key == 0x12 || key == 0x1a || key == 0x22 || key == 0x32 || key == 0x3a || key == 0x42) {
      if (!varint(p, len, &at, &v) || v > len - at) return false;
      at += v;
    } else {
      return false;
    }
  }
  return true;
}

static bool is_html(const uint8_t *p, size_t len) {
  static const char *const heads[] = {"<!doctype html", "<html", "<head", "<body", "<!--", "<?xml"};
  size_t i = starts(p, len, "\xef\xbb\xbf", 3) ? 3 : 0;
  while (i < len && i < 1024 && (p[i] == ' ' || (p[i] >= 9 && p[i] <= 13))) i++;
  for (size_t h = 0; h < TSR_COUNT(heads); h++)
    if (len - i >= strlen(heads[h]) && strncasecmp((const char *)p + i, heads[h], strlen(heads[h])) == 0) return true;
  return false;
}

tsr_file_kind tsr_detect_bytes(const void *bytes, size_t len) {
  static const struct {
    const char *magic;
    uint16_t n, at;
    tsr_file_kind kind;
  } magics[] = {
      {"PK\3\4", 4, 0, TSR_FILE_ZIP},
      {"PK\5\6", 4, 0, TSR_FILE_ZIP},
      {"PYTORCH1", 8, 0, TSR_FILE_PREVIEW},
      {"PTMF", 4, 4, TSR_FILE_FLATBUFFER},
      {"\x93NUMPY", 6, 0, TSR_FILE_NPY},
      {"GGUF", 4, 0, TSR_FILE_GGUF},
      {"\x89HDF\r\n\x1a\n", 8, 0, TSR_FILE_HDF5},
      {"version https://git-lfs", 23, 0, TSR_FILE_LFS_POINTER},
      {"\x1f\x8b\x08", 3, 0, TSR_FILE_PACKED}, {"BZh", 3, 0, TSR_FILE_PACKED}, {"\xfd" "7zXZ", 6, 0, TSR_FILE_PACKED}, {"\x28\xb5\x2f\xfd", 4, 0, TSR_FILE_PACKED},
      {"7z\xbc\xaf", 4, 0, TSR_FILE_PACKED}, {"Rar!", 4, 0, TSR_FILE_PACKED},
      {"\xff\xd8\xff", 3, 0, TSR_FILE_MEDIA}, {"\x89PNG", 4, 0, TSR_FILE_MEDIA}, {"GIF8", 4, 0, TSR_FILE_MEDIA}, {"RIFF", 4, 0, TSR_FILE_MEDIA},
      {"OggS", 4, 0, TSR_FILE_MEDIA}, {"fLaC", 4, 0, TSR_FILE_MEDIA}, {"ID3", 3, 0, TSR_FILE_MEDIA},
  };
  const uint8_t *p = bytes;
  if (len == 0) return TSR_FILE_EMPTY;
  for (size_t i = 0; i < TSR_COUNT(magics); i++)
    if (len > magics[i].at && starts(p + magics[i].at, len - magics[i].at, magics[i].magic, magics[i].n))
      return magics[i].kind;
  if (is_stream(p, len)) return TSR_FILE_TORCH_STREAM;
  if (is_safetensors(p, len)) return TSR_FILE_SAFETENSORS;
  if (is_torch_tar(p, len)) return TSR_FILE_TORCH_TAR;
  if (len >= 512 && memcmp(p + 257, "ustar", 5) == 0) return TSR_FILE_PACKED;
  if (p[0] == 0x80 && len > 2 && p[1] >= 2 && (p[1] <= 5 || (p[1] <= 9 && p[len - 1] == '.'))) return TSR_FILE_PICKLE; /* later ones are refused by number */
  if (is_html(p, len)) return TSR_FILE_HTML;
  if (is_onnx(p, len)) return TSR_FILE_ONNX;
  return TSR_FILE_UNKNOWN;
}

/* ---- zip entries ---- */

enum {
  HAS_DATA = 1,
  HAS_CONSTANTS = 2,
  HAS_CODE = 4,
  HAS_BYTECODE = 8,
  HAS_MODEL_JSON = 16,
  HAS_PACKAGE = 32,
  HAS_PT2 = 64,
  HAS_MAR = 128,
  HAS_VERSION = 256
};

static const struct {
  const char *name;
  bool prefix;
  unsigned bit;
} marks[] = {
    {"data.pkl", false, HAS_DATA},
    {"constants.pkl", false, HAS_CONSTANTS},
    {"code/", true, HAS_CODE},
    {"bytecode.pkl", false, HAS_BYTECODE},
    {"model.json", false, HAS_MODEL_JSON},
    {".data/extern_modules", false, HAS_PACKAGE},
    {".data/ts_code/", true, HAS_PACKAGE},
    {"archive_format", false, HAS_PT2},
    {"serialized_exported_program.json", false, HAS_PT2},
    {"models/model.json", false, HAS_PT2},
    {"MAR-INF/MANIFEST.json", false, HAS_MAR},
    {"version", false, HAS_VERSION},
};

static unsigned marks_under(const tsr_zipent *ents, size_t count, const char *root, size_t root_len) {
  unsigned found = 0;
  size_t skip = root_len == 0 ? 0 : root_len + 1;
  for (size_t i = 0; i < count; i++) {
    if (ents[i].name_len < skip) continue;
    if (skip != 0 && (memcmp(ents[i].name, root, root_len) != 0 || ents[i].name[root_len] != '/')) continue;
    const char *name = ents[i].name + skip;
    size_t len = ents[i].name_len - skip;
    for (size_t m = 0; m < TSR_COUNT(marks); m++) {
      size_t n = strlen(marks[m].name);
      if ((marks[m].prefix ? len >= n : len == n) && memcmp(name, marks[m].name, n) == 0) found |= marks[m].bit;
    }
  }
  return found;
}

/* In the order they are tried: a lite archive holds all that a plain one does, and more. */
static const struct {
  unsigned all;
  tsr_file_kind kind;
} zip_kinds[] = {
    {HAS_MAR, TSR_FILE_MAR},
    {HAS_PACKAGE, TSR_FILE_TORCH_PACKAGE},
    {HAS_DATA | HAS_BYTECODE, TSR_FILE_LITE},
    {HAS_DATA | HAS_CONSTANTS, TSR_FILE_TORCHSCRIPT},
    {HAS_DATA | HAS_CODE, TSR_FILE_TORCHSCRIPT},
    {HAS_PT2, TSR_FILE_PT2},
    {HAS_MODEL_JSON | HAS_VERSION, TSR_FILE_TORCHSCRIPT_LEGACY},
    {HAS_DATA, TSR_FILE_TORCH_ZIP},
};

static tsr_file_kind kind_of_marks(unsigned found) {
  for (size_t i = 0; i < TSR_COUNT(zip_kinds); i++)
    if ((found & zip_kinds[i].all) == zip_kinds[i].all) return zip_kinds[i].kind;
  return TSR_FILE_ZIP;
}

static bool try_root(const tsr_zipent *ents, size_t count, const char *root, size_t len, tsr_zip_kind *out) {
  unsigned found = marks_under(ents, count, root, len);
  tsr_file_kind kind = kind_of_marks(found);
  if (kind == TSR_FILE_ZIP) return false;
  *out = (tsr_zip_kind){.kind = kind, .root = root, .root_len = len};
  out->has_code = (found & (HAS_DATA | HAS_CONSTANTS)) == (HAS_DATA | HAS_CONSTANTS) && kind != TSR_FILE_TORCH_PACKAGE;
  return true;
}

static size_t root_length(const tsr_zipent *t) {
  const char *slash = memchr(t->name, '/', t->name_len);
  return slash == NULL ? 0 : (size_t)(slash - t->name);
}

static bool ends_with(const tsr_zipent *t, const char *tail) {
  size_t n = strlen(tail);
  return t->name_len >= n && memcmp(t->name + t->name_len - n, tail, n) == 0;
}

static bool all_npy(const tsr_zipent *ents, size_t count) {
  for (size_t i = 0; i < count; i++)
    if (!ends_with(&ents[i], ".npy")) return false;
  return count > 0;
}

void tsr_detect_zip(const tsr_zipent *ents, size_t count, tsr_zip_kind *out) {
  *out = (tsr_zip_kind){.kind = TSR_FILE_ZIP, .root = ""};
  if (count == 0) return;
  /* PyTorch takes the first entry's folder.  Archives packed again by hand may have none, or begin
   * with a stranger such as __MACOSX/. */
  if (root_length(&ents[0]) != 0 && try_root(ents, count, ents[0].name, root_length(&ents[0]), out)) return;
  if (try_root(ents, count, "", 0, out)) return;
  int tries = 0; /* each is a pass over all names */
  for (size_t i = 0; i < count && tries < 8; i++) {
    if (!ends_with(&ents[i], "/data.pkl") && !ends_with(&ents[i], "/model.json")) continue;
    if (try_root(ents, count, ents[i].name, root_length(&ents[i]), out)) return;
    tries++;
  }
  if (all_npy(ents, count)) out->kind = TSR_FILE_NPZ;
}

bool tsr_detect_is_storage(const char *name, size_t len) {
  static const char *const folders[] = {"data/", "constants/", "tensors/", "traced_inputs/", ".data/"};
  for (size_t i = 0; i < TSR_COUNT(folders); i++) {
    size_t n = strlen(folders[i]);
    if (len > n && memcmp(name, folders[i], n) == 0 && memchr(name + n, '/', len - n) == NULL)
      return i != 4 || (len > 8 && memcmp(name + len - 8, ".storage", 8) == 0);
  }
  return false;
}
