using System.Text.Json;
using QueueWorkers.Clocks;
using QueueWorkers.GroupCommit;
using QueueWorkers.Steps.Runs;

namespace QueueWorkers.Steps.Reports;

/// <summary>
/// What a run tells about itself while it runs; bounded, so that a talkative step cannot fill the database. Safe for
/// use by many threads.
/// </summary>
public sealed class RunReport
{
    /// <summary>The most log lines of an attempt that are kept; of more the oldest go.</summary>
    public const int MostLines = 50;

    /// <summary>The longest line or activity in characters; the rest is cut off.</summary>
    public const int LongestLine = 500;

    /// <summary>The largest result in bytes of JSON.</summary>
    public const int LargestResult = 8 * 1024;

    private readonly Lock _gate = new();
    private readonly Queue<string> _log = new();
    private double? _progress;
    private string? _activity;
    private string? _result;
    private bool _isDirty;

    internal void Progress(double share, string? activity)
    {
        if (share is not (>= 0 and <= 1))
            throw new ArgumentOutOfRangeException(nameof(share), share, "Progress is a share of the whole, 0 to 1.");
        lock (_gate)
            (_progress, _activity, _isDirty) = (share, activity is null ? _activity : Line(activity), true);
    }

    internal void Log(string line)
    {
        lock (_gate)
        {
            _log.Enqueue(Line(line));
            while (_log.Count > MostLines)
                _log.Dequeue();
            _isDirty = true;
        }
    }

    internal void Result<T>(T result)
    {
        var json = JsonSerializer.SerializeToUtf8Bytes(result, JsonSerializerOptions.Web);
        if (json.Length > LargestResult)
            throw new ArgumentException(
                $"A step's result may be {LargestResult} bytes of JSON, got {json.Length}; keep it elsewhere and report where.",
                nameof(result)
            );
        lock (_gate)
            (_result, _isDirty) = (
                System.Text.Encoding.UTF8.GetString(json).Replace("\\u0000", "", StringComparison.Ordinal),
                true
            );
    }

    /// <summary>What has not been written yet; null when that is nothing. Once taken it counts as written.</summary>
    internal StepReport? Take(StepRun run)
    {
        lock (_gate)
        {
            if (!_isDirty)
                return null;
            _isDirty = false;
            return Of(run);
        }
    }

    /// <summary>All of it.</summary>
    internal StepReport Of(StepRun run)
    {
        lock (_gate)
        {
            return new StepReport
            {
                SubjectId = run.SubjectId,
                Step = run.Step,
                MessageId = run.MessageId,
                Attempt = run.Attempt,
                Progress = _progress,
                Activity = _activity,
                Log = [.. _log],
                Result = _result,
                At = DatabaseClock.UtcNow,
            };
        }
    }

    private static string Line(string text) => StorableText.Of(PersonalText.Of(text), LongestLine);
}
