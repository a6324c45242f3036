#include "record/vault.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "td_assert.h"

#define NONCE_BYTES 12
#define TAG_BYTES   16
#define ID_BYTES    16
#define LAST        0x80000000u
#define AT_LENGTH   8
#define AT_CHUNK    12
#define AT_ID       16
#define AT_NONCE    32
#define AT_WRAPPED  44
#define AT_TAG      76
#define AT_PREFIX   92

static const uint8_t magic[8] = { 'T', 'A', 'N', 'D', 'E', 'M', 'V', '1' };

static void put32(uint8_t *p, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		p[i] = (uint8_t)(v >> 8 * i);
}

static uint32_t get32(const uint8_t *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool from_hex(const char *text, uint8_t key[TD_VAULT_KEY_BYTES])
{
	for (int i = 0; i < TD_VAULT_KEY_BYTES; i++) {
		int high = hex_digit(text[2 * i]), low = hex_digit(text[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		key[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}

static int take_key(const char *path, const char *text, ssize_t size, uint8_t *key, char *reason)
{
	if (size == TD_VAULT_KEY_BYTES) {
		memcpy(key, text, TD_VAULT_KEY_BYTES);
		return 0;
	}
	if ((size == 2 * TD_VAULT_KEY_BYTES ||
	     (size == 2 * TD_VAULT_KEY_BYTES + 1 && text[size - 1] == '\n')) &&
	    from_hex(text, key))
		return 0;
	snprintf(reason, TD_VAULT_REASON_MAX,
		 "%s: found %zd bytes, expected 32, or 64 hexadecimal digits: openssl rand -hex 32",
		 path, size);
	return -TD_EMALFORMED;
}

int td_vault_load_key(const char *path, uint8_t key[TD_VAULT_KEY_BYTES],
		      char reason[TD_VAULT_REASON_MAX])
{
	char text[2 * TD_VAULT_KEY_BYTES + 8];
	int fd = open(path, O_RDONLY | O_CLOEXEC), error;
	struct stat st;
	ssize_t size;

	if (fd < 0 || fstat(fd, &st) != 0 || (size = read(fd, text, sizeof text)) < 0) {
		snprintf(reason, TD_VAULT_REASON_MAX, "%s: %s", path, strerror(errno));
		if (fd >= 0)
			close(fd);
		return -TD_EIO;
	}
	close(fd);
	if (st.st_mode & (S_IRWXG | S_IRWXO)) {
		snprintf(reason, TD_VAULT_REASON_MAX, "%s: others may read it; chmod 600", path);
		error = -TD_EDENIED;
	} else {
		error = take_key(path, text, size, key, reason);
	}
	OPENSSL_cleanse(text, sizeof text);
	return error;
}

static bool key_id(const uint8_t *key, uint8_t id[ID_BYTES])
{
	static const uint8_t what[10] = { 't', 'a', 'n', 'd', 'e', 'm', ' ', 'k', 'e', 'y' };
	uint8_t text[sizeof what + TD_VAULT_KEY_BYTES], digest[32];
	bool done;

	memcpy(text, what, sizeof what);
	memcpy(text + sizeof what, key, TD_VAULT_KEY_BYTES);
	done = EVP_Digest(text, sizeof text, digest, NULL, EVP_sha256(), NULL) == 1;
	memcpy(id, digest, ID_BYTES);
	OPENSSL_cleanse(text, sizeof text);
	return done;
}

// AES-256-GCM of `size` bytes at `in` to `out` and `tag`.
static bool seal(EVP_CIPHER_CTX *cipher, const uint8_t *key, const uint8_t *nonce,
		 const uint8_t *aad, size_t aad_size, const uint8_t *in, size_t size, uint8_t *out,
		 uint8_t *tag)
{
	int length;

	return EVP_EncryptInit_ex(cipher, EVP_aes_256_gcm(), NULL, key, nonce) &&
	       EVP_EncryptUpdate(cipher, NULL, &length, aad, (int)aad_size) &&
	       (size == 0 || EVP_EncryptUpdate(cipher, out, &length, in, (int)size)) &&
	       EVP_EncryptFinal_ex(cipher, out + size, &length) &&
	       EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_GCM_GET_TAG, TAG_BYTES, tag);
}

static bool unseal(EVP_CIPHER_CTX *cipher, const uint8_t *key, const uint8_t *nonce,
		   const uint8_t *aad, size_t aad_size, const uint8_t *in, size_t size,
		   uint8_t *out, const uint8_t *tag)
{
	uint8_t copy[TAG_BYTES];
	int length;

	memcpy(copy, tag, TAG_BYTES);
	return EVP_DecryptInit_ex(cipher, EVP_aes_256_gcm(), NULL, key, nonce) &&
	       EVP_DecryptUpdate(cipher, NULL, &length, aad, (int)aad_size) &&
	       (size == 0 || EVP_DecryptUpdate(cipher, out, &length, in, (int)size)) &&
	       EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_GCM_SET_TAG, TAG_BYTES, copy) &&
	       EVP_DecryptFinal_ex(cipher, out + size, &length) > 0;
}

int td_vault_create(struct td_vault *vault, const uint8_t key[TD_VAULT_KEY_BYTES],
		    uint8_t header[TD_VAULT_HEADER_BYTES])
{
	memset(vault, 0, sizeof *vault);
	memset(header, 0, TD_VAULT_HEADER_BYTES);
	vault->cipher = EVP_CIPHER_CTX_new();
	if (!vault->cipher)
		return -TD_EMEMORY;
	memcpy(header, magic, sizeof magic);
	put32(header + AT_LENGTH, TD_VAULT_HEADER_BYTES);
	put32(header + AT_CHUNK, TD_VAULT_TEXT_MAX);
	if (!key_id(key, header + AT_ID) || RAND_bytes(vault->key, sizeof vault->key) != 1 ||
	    RAND_bytes(header + AT_NONCE, NONCE_BYTES) != 1 ||
	    RAND_bytes(vault->prefix, sizeof vault->prefix) != 1 ||
	    !seal(vault->cipher, key, header + AT_NONCE, header, AT_NONCE, vault->key,
		  sizeof vault->key, header + AT_WRAPPED, header + AT_TAG)) {
		td_vault_fini(vault);
		return -TD_EIO;
	}
	memcpy(header + AT_PREFIX, vault->prefix, sizeof vault->prefix);
	return 0;
}

int td_vault_unlock(struct td_vault *vault, const uint8_t key[TD_VAULT_KEY_BYTES],
		    const uint8_t header[TD_VAULT_HEADER_BYTES])
{
	uint8_t id[ID_BYTES];

	memset(vault, 0, sizeof *vault);
	if (memcmp(header, magic, sizeof magic) != 0 ||
	    get32(header + AT_LENGTH) != TD_VAULT_HEADER_BYTES ||
	    get32(header + AT_CHUNK) != TD_VAULT_TEXT_MAX)
		return -TD_EMALFORMED;
	if (!key_id(key, id) || memcmp(header + AT_ID, id, ID_BYTES) != 0)
		return -TD_EDENIED;
	vault->cipher = EVP_CIPHER_CTX_new();
	if (!vault->cipher)
		return -TD_EMEMORY;
	if (!unseal(vault->cipher, key, header + AT_NONCE, header, AT_NONCE, header + AT_WRAPPED,
		    sizeof vault->key, vault->key, header + AT_TAG)) {
		td_vault_fini(vault);
		return -TD_EDENIED;
	}
	memcpy(vault->prefix, header + AT_PREFIX, sizeof vault->prefix);
	return 0;
}

void td_vault_fini(struct td_vault *vault)
{
	EVP_CIPHER_CTX_free(vault->cipher);
	OPENSSL_cleanse(vault, sizeof *vault);
	vault->cipher = NULL;
}

static void make_nonce(const struct td_vault *vault, uint8_t nonce[NONCE_BYTES])
{
	memcpy(nonce, vault->prefix, sizeof vault->prefix);
	for (int i = 0; i < 8; i++)
		nonce[4 + i] = (uint8_t)(vault->number >> (56 - 8 * i));
}

size_t td_vault_seal(struct td_vault *vault, const void *text, size_t size, bool last, uint8_t *out)
{
	uint8_t nonce[NONCE_BYTES];

	TD_ASSERT(size <= TD_VAULT_TEXT_MAX);
	make_nonce(vault, nonce);
	put32(out, (uint32_t)size | (last ? LAST : 0));
	if (!seal(vault->cipher, vault->key, nonce, out, 4, text, size, out + 4, out + 4 + size))
		return 0;
	vault->number++;
	return size + TD_VAULT_EXTRA_BYTES;
}

int td_vault_measure(const uint8_t *bytes, size_t size, struct td_vault_chunk *chunk)
{
	uint32_t word;

	memset(chunk, 0, sizeof *chunk);
	if (size < 4)
		return -TD_ETRUNCATED;
	word = get32(bytes);
	chunk->last = (word & LAST) != 0;
	chunk->text = word & ~LAST;
	chunk->bytes = chunk->text + TD_VAULT_EXTRA_BYTES;
	if (chunk->text > TD_VAULT_TEXT_MAX || (chunk->text == 0 && !chunk->last))
		return -TD_EMALFORMED;
	return chunk->bytes > size ? -TD_ETRUNCATED : 0;
}

int td_vault_open(struct td_vault *vault, const uint8_t *bytes, const struct td_vault_chunk *chunk,
		  uint8_t *text)
{
	uint8_t nonce[NONCE_BYTES];

	make_nonce(vault, nonce);
	if (!unseal(vault->cipher, vault->key, nonce, bytes, 4, bytes + 4, chunk->text, text,
		    bytes + 4 + chunk->text))
		return -TD_EDENIED;
	vault->number++;
	return 0;
}
