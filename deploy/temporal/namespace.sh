#!/bin/sh
# Makes the namespace, or brings how long it keeps closed workflows up to date; ends when it can be used.
set -eu
until temporal operator cluster health >/dev/null 2>&1; do sleep 1; done
if temporal operator namespace describe --namespace "$NAMESPACE" >/dev/null 2>&1; then
    temporal operator namespace update --namespace "$NAMESPACE" --retention "$RETENTION"
else
    temporal operator namespace create --namespace "$NAMESPACE" --retention "$RETENTION"
fi
# Its servers hear of a new namespace by and by.
until temporal workflow count --namespace "$NAMESPACE" >/dev/null 2>&1; do sleep 1; done
