using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using QueueWorkers.Tls;

namespace QueueWorkers.Messaging;

/// <summary>The part of RabbitMQ's management API that is used here.</summary>
public sealed class RabbitManagement : IDisposable
{
    private readonly HttpClient _http;

    /// <summary>Creates a client.</summary>
    /// <param name="options">With <see cref="RabbitMqOptions.ManagementUri"/> set.</param>
    /// <exception cref="QueueWorkers.Hosting.InvalidConfigurationException">The management address is
    /// missing.</exception>
    public RabbitManagement(RabbitMqOptions options)
    {
        _http = Connect(options, TimeSpan.FromSeconds(10));
    }

    /// <summary>A client of the management API: where it is, who asks, and which certificates are trusted.</summary>
    /// <param name="options">With <see cref="RabbitMqOptions.ManagementUri"/> set.</param>
    /// <param name="timeLimit">How long a call may take.</param>
    /// <exception cref="QueueWorkers.Hosting.InvalidConfigurationException">The management address is
    /// missing.</exception>
    internal static HttpClient Connect(RabbitMqOptions options, TimeSpan timeLimit)
    {
        new QueueWorkers.Hosting.ConfigurationProblems()
            .Require(options.ManagementUri is not null, RabbitMqOptions.NoManagementUri)
            .ThrowIfAny();
        var trust = options.Trust with
        {
            HostSetting = "RabbitMq__ManagementUri",
            WithoutTls =
                "Set RabbitMq__ManagementUri to the port with TLS, which is 15671 unless RabbitMQ says otherwise.",
        };
        return new HttpClient(
            new TrustedHandler(
                trust,
                // A renewed certificate is looked at soon. RabbitMQ closes a connection that was idle for a minute, and a
                // request with a body that meets the end of its connection is not repeated.
                new SocketsHttpHandler
                {
                    PooledConnectionLifetime = TimeSpan.FromMinutes(2),
                    PooledConnectionIdleTimeout = TimeSpan.FromSeconds(20),
                }
            )
        )
        {
            BaseAddress = options.ManagementUri,
            Timeout = timeLimit,
            DefaultRequestHeaders =
            {
                Authorization = new AuthenticationHeaderValue(
                    "Basic",
                    Convert.ToBase64String(Encoding.UTF8.GetBytes($"{options.Username}:{options.Password}"))
                ),
            },
        };
    }

    /// <summary>The version of the node that answers, such as <c>4.3.6</c>.</summary>
    public async Task<string> VersionAsync(CancellationToken cancellationToken)
    {
        using var response = await _http.GetAsync(
            new Uri("api/overview?columns=rabbitmq_version", UriKind.Relative),
            cancellationToken
        );
        response.EnsureSuccessStatusCode();
        using var answer = System.Text.Json.JsonDocument.Parse(
            await response.Content.ReadAsStringAsync(cancellationToken)
        );
        return answer.RootElement.TryGetProperty("rabbitmq_version", out var version) ? version.GetString() ?? "" : "";
    }

    /// <summary>Creates or changes a policy.</summary>
    public Task PutPolicyAsync(
        string virtualHost,
        string name,
        string pattern,
        string applyTo,
        IReadOnlyDictionary<string, object> definition,
        CancellationToken cancellationToken
    ) =>
        PutAsync(
            $"api/policies/{Uri.EscapeDataString(virtualHost)}/{Uri.EscapeDataString(name)}",
            new Dictionary<string, object>
            {
                ["pattern"] = pattern,
                ["apply-to"] = applyTo,
                ["priority"] = 10,
                ["definition"] = definition,
            },
            cancellationToken
        );

    /// <summary>Creates or changes an operator policy of queues: limits that go before those of policies.</summary>
    public Task PutOperatorPolicyAsync(
        string virtualHost,
        string name,
        string pattern,
        IReadOnlyDictionary<string, object> definition,
        CancellationToken cancellationToken
    ) =>
        PutAsync(
            $"api/operator-policies/{Uri.EscapeDataString(virtualHost)}/{Uri.EscapeDataString(name)}",
            new Dictionary<string, object>
            {
                ["pattern"] = pattern,
                ["apply-to"] = "queues",
                ["priority"] = 10,
                ["definition"] = definition,
            },
            cancellationToken
        );

    /// <summary>Whether a queue is bound to an exchange by a routing key.</summary>
    public async Task<bool> HasBindingAsync(
        string virtualHost,
        string exchange,
        string queue,
        string routingKey,
        CancellationToken cancellationToken
    )
    {
        var path =
            $"api/bindings/{Uri.EscapeDataString(virtualHost)}/e/{Uri.EscapeDataString(exchange)}/q/{Uri.EscapeDataString(queue)}";
        using var response = await _http.GetAsync(new Uri(path, UriKind.Relative), cancellationToken);
        if (!response.IsSuccessStatusCode)
            return false;
        using var answer = System.Text.Json.JsonDocument.Parse(
            await response.Content.ReadAsStringAsync(cancellationToken)
        );
        return answer.RootElement.EnumerateArray().Any(b => b.GetProperty("routing_key").GetString() == routingKey);
    }

    /// <summary>
    /// Creates a user, or sets its password and tags; without a tag it has no access to the management API.
    /// </summary>
    /// <remarks>
    /// Two deployments on one broker may create the same user at the same moment. RabbitMQ then refuses the later one
    /// although it would have been an update a moment before; asked again, it is.
    /// </remarks>
    public async Task PutUserAsync(string name, string password, string tags, CancellationToken cancellationToken)
    {
        var path = $"api/users/{Uri.EscapeDataString(name)}";
        var user = new Dictionary<string, object> { ["password"] = password, ["tags"] = tags };
        try
        {
            await PutAsync(path, user, cancellationToken);
        }
        catch (HttpRequestException refused)
            when (refused.StatusCode == System.Net.HttpStatusCode.BadRequest
                && refused.Message.Contains("user_already_exists", StringComparison.Ordinal)
            )
        {
            await PutAsync(path, user, cancellationToken);
        }
    }

    /// <summary>Sets what a user may do in a virtual host.</summary>
    public Task PutPermissionsAsync(
        string virtualHost,
        string user,
        BrokerPermissions permissions,
        CancellationToken cancellationToken
    ) =>
        PutAsync(
            $"api/permissions/{Uri.EscapeDataString(virtualHost)}/{Uri.EscapeDataString(user)}",
            new Dictionary<string, object>
            {
                ["configure"] = permissions.Configure,
                ["write"] = permissions.Write,
                ["read"] = permissions.Read,
            },
            cancellationToken
        );

    /// <summary>What a user may do in a virtual host; null when nothing was ever set.</summary>
    public async Task<BrokerPermissions?> FindPermissionsAsync(
        string virtualHost,
        string user,
        CancellationToken cancellationToken
    )
    {
        var path = $"api/permissions/{Uri.EscapeDataString(virtualHost)}/{Uri.EscapeDataString(user)}";
        using var response = await _http.GetAsync(new Uri(path, UriKind.Relative), cancellationToken);
        if (response.StatusCode == System.Net.HttpStatusCode.NotFound)
            return null;
        response.EnsureSuccessStatusCode();
        return await response.Content.ReadFromJsonAsync<BrokerPermissions>(cancellationToken);
    }

    /// <summary>Creates a virtual host; nothing happens when it is there.</summary>
    public Task PutVirtualHostAsync(string name, CancellationToken cancellationToken) =>
        PutAsync($"api/vhosts/{Uri.EscapeDataString(name)}", new Dictionary<string, object>(), cancellationToken);

    /// <summary>Deletes a virtual host with everything in it.</summary>
    public async Task DeleteVirtualHostAsync(string name, CancellationToken cancellationToken)
    {
        using var response = await _http.DeleteAsync(
            new Uri($"api/vhosts/{Uri.EscapeDataString(name)}", UriKind.Relative),
            cancellationToken
        );
        response.EnsureSuccessStatusCode();
    }

    /// <inheritdoc />
    public void Dispose() => _http.Dispose();

    private async Task PutAsync(string path, Dictionary<string, object> body, CancellationToken cancellationToken)
    {
        using var response = await PutOnceMoreAsync(new Uri(path, UriKind.Relative), body, cancellationToken);
        if (!response.IsSuccessStatusCode)
        {
            var answer = await response.Content.ReadAsStringAsync(cancellationToken);
            throw new HttpRequestException(
                $"RabbitMQ's management API answered {(int)response.StatusCode} to PUT {path}: {answer}",
                null,
                response.StatusCode
            );
        }
    }

    // A connection that ends without an answer says nothing of the request, which does the same a second time
    // (RFC 9110, 9.2.2). The client repeats only requests without a body by itself.
    private async Task<HttpResponseMessage> PutOnceMoreAsync(
        Uri path,
        Dictionary<string, object> body,
        CancellationToken cancellationToken
    )
    {
        try
        {
            return await _http.PutAsJsonAsync(path, body, cancellationToken);
        }
        catch (HttpRequestException ended) when (ended.HttpRequestError == HttpRequestError.ResponseEnded)
        {
            return await _http.PutAsJsonAsync(path, body, cancellationToken);
        }
    }
}

/// <summary>What a user of the broker may declare, publish to and consume from: regular expressions on names.</summary>
/// <param name="Configure">What it may declare and delete.</param>
/// <param name="Write">What it may publish to and bind.</param>
/// <param name="Read">What it may consume from and bind to.</param>
public sealed record BrokerPermissions(string Configure, string Write, string Read);
