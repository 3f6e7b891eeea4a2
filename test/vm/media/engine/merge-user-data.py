"""Does with user-data what cloud-init does at boot, and prints the cloud-config that comes of it and the scripts, as JSON."""
import json, sys, tempfile
from cloudinit import handlers, helpers, user_data, util
from cloudinit.handlers.cloud_config import CloudConfigPartHandler

tmp = tempfile.mkdtemp()
paths = helpers.Paths({"cloud_dir": tmp, "run_dir": tmp}, ds=None)
with open(sys.argv[1], "rb") as file:
    message = user_data.UserDataProcessor(paths).process(file.read())
target = tmp + "/merged"
config = CloudConfigPartHandler(paths, cloud_config_path="boot_hooks")
config.cloud_fn = target
config.handle_part(None, handlers.CONTENT_START, None, None, None, None)
scripts = []
for part in message.walk():
    kind = part.get_content_type()
    if part.is_multipart():
        continue
    payload = util.fully_decoded_payload(part)
    if kind == "text/cloud-config":
        config.handle_part(None, kind, part.get_filename() or "part", payload, None, part)
    else:
        scripts.append([kind, payload])
config.handle_part(None, handlers.CONTENT_END, None, None, None, None)
print(json.dumps({"config": util.load_yaml(open(target).read()), "scripts": scripts}))
