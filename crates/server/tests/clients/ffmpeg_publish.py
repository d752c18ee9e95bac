"""ffmpeg publishes a tone by WHIP: alone, as the one who begins the handshake, and beside video. It stops at the first thing
that is wrong."""

import os
import subprocess

import imageio_ffmpeg

TONE = ["-re", "-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000"]
PICTURE = ["-re", "-f", "lavfi", "-i", "testsrc=size=160x120:rate=10"]
OPUS = ["-c:a", "libopus", "-ar", "48000", "-ac", "2"]
H264 = ["-c:v", "libx264", "-profile:v", "baseline", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-bf", "0"]


def publish(*arguments):
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-hide_banner", "-nostdin", "-loglevel", "info", *arguments, "-t", "2"]
    environment = {name: value for name, value in os.environ.items() if "proxy" not in name.lower()}
    url = os.environ["SERVER_URL"] + "/whip"
    # It complains of every answer to its DELETE, since it takes the status line for the size of a chunk; the call is over even so.
    done = subprocess.run([*command, "-f", "whip", url], env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


publish(*TONE, *OPUS)
publish(*TONE, *OPUS, "-whip_flags", "dtls_active")
publish(*TONE, *PICTURE, *OPUS, *H264)
