using System.Net;
using System.Net.Http.Json;
using Orders.Chaos.Planning;

namespace Orders.Chaos.Running;

/// <summary>Operator policies with limits on the queues of workers.</summary>
/// <param name="management">The broker's management API, as its administrator.</param>
public sealed class QueuePolicies(HttpClient management)
{
    private const int Milliseconds = 300;
    private const int Messages = 3;

    /// <summary>Limits a queue.</summary>
    /// <param name="queue">The queue.</param>
    /// <param name="limit">The setting: <c>message-ttl</c> or <c>max-length</c>.</param>
    /// <param name="cancellationToken">Cancels.</param>
    public async Task<bool> SetAsync(string queue, string limit, CancellationToken cancellationToken)
    {
        using var answer = await management.PutAsJsonAsync(
            AddressOf(queue),
            new Dictionary<string, object>
            {
                ["pattern"] = $"^{queue}$",
                ["apply-to"] = "queues",
                ["priority"] = 1,
                ["definition"] = new Dictionary<string, int>
                {
                    [limit] = limit == "message-ttl" ? Milliseconds : Messages,
                },
            },
            cancellationToken
        );
        return answer.IsSuccessStatusCode;
    }

    /// <summary>Removes the limit of a queue, if there is one.</summary>
    public async Task<bool> RemoveAsync(string queue, CancellationToken cancellationToken)
    {
        using var answer = await management.DeleteAsync(AddressOf(queue), cancellationToken);
        return answer.IsSuccessStatusCode || answer.StatusCode == HttpStatusCode.NotFound;
    }

    /// <summary>Removes the limits of all workers' queues.</summary>
    public async Task<bool> HealAsync(CancellationToken cancellationToken)
    {
        foreach (var queue in FaultCatalogue.Workers)
        {
            if (!await RemoveAsync(queue, cancellationToken))
                return false;
        }

        return true;
    }

    private static string AddressOf(string queue) => $"api/operator-policies/%2F/chaos-{queue}";
}
