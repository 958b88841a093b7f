# GigMate's server. Build: docker build -t gigmate . ; run: docker run --rm -p 8000:8000 -e GIGMATE_TOKEN=... gigmate
# Two stages: what builds stays out of the image, but for the compiler, with which the band's step is built for the very
# processor that it runs on.
FROM python:3.12-slim-bookworm AS build
WORKDIR /source
# torch first, as the build for CPUs: the standard one brings gigabytes of CUDA. Give the CPU index of pytorch.org.
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu
COPY constraints.txt ./
RUN python -m venv /opt/gigmate \
    && /opt/gigmate/bin/pip install --no-cache-dir --constraint constraints.txt --extra-index-url "$TORCH_INDEX" \
       "torch==2.13.0+cpu"
COPY . .
RUN /opt/gigmate/bin/pip install --no-cache-dir --constraint constraints.txt '.[api,files]'

FROM python:3.12-slim-bookworm
# libfluidsynth3 and a bank: the parts' instruments. gcc and libc6-dev: the step in C (without them TorchScript plays).
# Versions are the distribution's, whose security updates are wanted.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends gcc libc6-dev libfluidsynth3 libsndfile1 musescore-general-soundfont-small \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --create-home --home-dir /var/lib/gigmate --uid 10001 gigmate \
    && install -d -o gigmate -g gigmate /var/lib/gigmate/spool /var/cache/gigmate
COPY --from=build /opt/gigmate /opt/gigmate
ENV PATH=/opt/gigmate/bin:$PATH GIGMATE_CACHE_DIR=/var/cache/gigmate PYTHONUNBUFFERED=1
USER 10001
WORKDIR /var/lib/gigmate
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=5s --start-period=60s CMD \
    ["python", "-c", "import urllib.request as r; r.urlopen(r.Request('http://127.0.0.1:8000/livez'), timeout=4)"]
# An address other than this machine's needs a token: that in GIGMATE_TOKEN, or a fresh one in the log.
ENTRYPOINT ["gigmate", "serve", "--host", "0.0.0.0", "--port", "8000"]
CMD ["--workers", "2"]
