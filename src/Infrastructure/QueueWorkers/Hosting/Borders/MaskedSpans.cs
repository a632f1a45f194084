using System.Diagnostics;
using OpenTelemetry;
using OpenTelemetry.Trace;
using QueueWorkers.GroupCommit;

namespace QueueWorkers.Hosting.Borders;

/// <summary>
/// Masks personal data (<see cref="PersonalText"/>) in the attributes of every span before it is exported, whoever
/// wrote them: an address in a path, a server's reply in a fault.
/// </summary>
public static class MaskedSpans
{
    /// <summary>Puts the mask before the exporters that are added later.</summary>
    public static TracerProviderBuilder AddMaskedSpans(this TracerProviderBuilder tracing)
    {
        ArgumentNullException.ThrowIfNull(tracing);
#pragma warning disable CA2000 // The provider disposes it.
        return tracing.AddProcessor(new Mask());
#pragma warning restore CA2000
    }

    private sealed class Mask : BaseProcessor<Activity>
    {
        public override void OnEnd(Activity data)
        {
            if (data.StatusDescription is { } description)
                data.SetStatus(data.Status, PersonalText.Of(description));
            List<KeyValuePair<string, string>>? masked = null;
            foreach (ref readonly var tag in data.EnumerateTagObjects())
            {
                if (tag.Value is string text && PersonalText.Of(text) is var safe && !ReferenceEquals(text, safe))
                    (masked ??= []).Add(new(tag.Key, safe));
            }

            foreach (var (key, value) in masked ?? [])
                data.SetTag(key, value);
        }
    }
}
