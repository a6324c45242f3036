#include "rtp/srtp_engine.h"

int td_srtp_engine_init(struct td_srtp_engine *engine, enum td_srtp_engine_kind kind)
{
	int error = -TD_EUNSUPPORTED;

	engine->machine = NULL;
	engine->library = NULL;
#ifdef TD_SRTP_HAS_IPSEC_MB
	if (kind != TD_SRTP_ENGINE_OPENSSL)
		error = td_srtp_ipsec_mb_init(engine);
#endif
	if (error != 0 && kind != TD_SRTP_ENGINE_IPSEC_MB)
		error = td_srtp_openssl_init(engine);
	return error;
}

void td_srtp_engine_fini(struct td_srtp_engine *engine)
{
	if (engine->machine)
		engine->machine->fini(engine);
	engine->machine = NULL;
}
