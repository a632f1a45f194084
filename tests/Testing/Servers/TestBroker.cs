using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using QueueWorkers.Messaging;
using QueueWorkers.Outbox;
using RabbitMQ.Client;

namespace Orders.Testing.Servers;

/// <summary>A virtual host of a fixture's own, and what a test does to it by hand: publish, look, count.</summary>
public sealed class TestBroker : IAsyncDisposable
{
    private static readonly Dictionary<string, object?> Quorum = new() { ["x-queue-type"] = "quorum" };

    private readonly IConnection _connection;
    private readonly IChannel _channel;
    private readonly SemaphoreSlim _one = new(1, 1);

    private TestBroker(RabbitMqOptions options, RabbitManagement management, IConnection connection, IChannel channel)
    {
        Options = options;
        Management = management;
        _connection = connection;
        _channel = channel;
    }

    /// <summary>How to reach it, as its administrator.</summary>
    public RabbitMqOptions Options { get; }

    /// <summary>The management API.</summary>
    public RabbitManagement Management { get; }

    /// <summary>Creates one.</summary>
    /// <param name="server">Its server; the shared one unless said otherwise.</param>
    public static async Task<TestBroker> CreateAsync(RabbitMqOptions? server = null)
    {
        var options = (server ?? await SharedServers.BrokerAsync()) with { VirtualHost = $"t-{Guid.NewGuid():N}" };
        var management = new RabbitManagement(options);
        await management.PutVirtualHostAsync(options.VirtualHost, CancellationToken.None);
        var connection = await BrokerConnection.CreateFactory(options).CreateConnectionAsync("tests");
        var channel = await connection.CreateChannelAsync(new CreateChannelOptions(true, true, null));
        return new TestBroker(options, management, connection, channel);
    }

    /// <summary>Publishes a message to the exchange of its type, as another system would.</summary>
    public Task PublishAsync<T>(T message, ByHand? how = null)
        where T : class => PublishToAsync(MessageName.ExchangeOf(typeof(T)), message, how);

    /// <summary>Publishes a message to an exchange; a step's exchange has the step's name.</summary>
    public Task PublishToAsync<T>(string exchange, T message, ByHand? how = null)
        where T : class
    {
        how ??= new ByHand();
        var body = Envelope.Write(
            message,
            how.Id ?? Guid.Empty,
            how.CorrelationId,
            how.Id ?? Guid.NewGuid(),
            null,
            DateTimeOffset.UtcNow
        );
        return PublishBytesAsync(exchange, how.Id is null ? WithoutId(body) : body, how);
    }

    /// <summary>Publishes bytes.</summary>
    public async Task PublishBytesAsync(string exchange, ReadOnlyMemory<byte> body, ByHand how)
    {
        var properties = new BasicProperties
        {
            Persistent = true,
            ContentType = Envelope.ContentType,
            Headers = how.Headers,
        };
        if (how.Id is { } id)
            properties.MessageId = id.ToString();
        if (how.Priority is { } priority)
            properties.Priority = priority;
        await AloneAsync(async () =>
        {
            await _channel.BasicPublishAsync(exchange, how.RoutingKey, mandatory: true, properties, body);
            return true;
        });
    }

    /// <summary>Messages that wait in a queue; those under way in a consumer are not counted.</summary>
    public Task<uint> CountAsync(string queue) =>
        AloneAsync(async () => (await _channel.QueueDeclarePassiveAsync(queue)).MessageCount);

    /// <summary>How many consumers a queue has.</summary>
    public Task<uint> ConsumersAsync(string queue) =>
        AloneAsync(async () => (await _channel.QueueDeclarePassiveAsync(queue)).ConsumerCount);

    /// <summary>Declares a queue that none of our processes knows.</summary>
    public Task DeclareQueueAsync(string queue) =>
        AloneAsync(() => _channel.QueueDeclareAsync(queue, durable: true, exclusive: false, autoDelete: false));

    /// <summary>Deletes a queue with everything in it, as an operator may.</summary>
    public Task DeleteQueueAsync(string queue) =>
        AloneAsync(() => _channel.QueueDeleteAsync(queue, ifUnused: false, ifEmpty: false));

    /// <summary>Deletes an exchange with its bindings.</summary>
    public Task DeleteExchangeAsync(string exchange) =>
        AloneAsync(async () =>
        {
            await _channel.ExchangeDeleteAsync(exchange, ifUnused: false);
            return true;
        });

    /// <summary>Closes all connections of a user, as its administrator may.</summary>
    public async Task CloseConnectionsAsync(string user)
    {
        using var http = new HttpClient { BaseAddress = Options.ManagementUri };
        http.DefaultRequestHeaders.Authorization = new(
            "Basic",
            Convert.ToBase64String(System.Text.Encoding.UTF8.GetBytes($"{Options.Username}:{Options.Password}"))
        );
        using var response = await http.DeleteAsync(new Uri($"api/connections/username/{user}", UriKind.Relative));
        response.EnsureSuccessStatusCode();
    }

    /// <summary>
    /// Sets a policy of queues as an operator of the broker does, before ours, or removes it; and waits until the queues
    /// that there are follow.
    /// </summary>
    /// <param name="name">Its name.</param>
    /// <param name="pattern">The queues; null removes the policy.</param>
    /// <param name="definition">What it sets.</param>
    /// <param name="isOperators">Whether it is an operator policy, which is merged with ours, or a policy that takes the
    /// place of ours.</param>
    public async Task SetPolicyAsync(string name, string? pattern, object? definition = null, bool isOperators = true)
    {
        using var http = new HttpClient { BaseAddress = Options.ManagementUri };
        http.DefaultRequestHeaders.Authorization = new(
            "Basic",
            Convert.ToBase64String(System.Text.Encoding.UTF8.GetBytes($"{Options.Username}:{Options.Password}"))
        );
        var address = new Uri(
            $"api/{(isOperators ? "operator-policies" : "policies")}/{Uri.EscapeDataString(Options.VirtualHost)}/{name}",
            UriKind.Relative
        );
        using var response = pattern is null
            ? await http.DeleteAsync(address)
            : await http.PutAsJsonAsync(
                address,
                new Dictionary<string, object?>
                {
                    ["pattern"] = pattern,
                    ["apply-to"] = "queues",
                    ["priority"] = 100,
                    ["definition"] = definition,
                }
            );
        response.EnsureSuccessStatusCode();
        await Eventually.Is(
            async () =>
            {
                var queues = (
                    await http.GetFromJsonAsync<JsonArray>(
                        new Uri($"api/queues/{Uri.EscapeDataString(Options.VirtualHost)}", UriKind.Relative)
                    )
                )!;
                return queues.All(queue =>
                {
                    var follows = (string?)queue![isOperators ? "operator_policy" : "policy"] == name;
                    return follows
                        == (pattern is not null && Regex.IsMatch((string)queue["name"]!, pattern, RegexOptions.None));
                });
            },
            $"the queues follow the policy '{name}'"
        );
    }

    /// <summary>Takes all messages out of a queue.</summary>
    public Task<List<BasicGetResult>> TakeAllAsync(string queue) =>
        AloneAsync(async () =>
        {
            var messages = new List<BasicGetResult>();
            while (await _channel.BasicGetAsync(queue, autoAck: true) is { } message)
                messages.Add(message);
            return messages;
        });

    /// <summary>Looks at all messages of a queue and leaves them there.</summary>
    public async Task<List<BasicGetResult>> PeekAllAsync(string queue)
    {
        // A channel of its own: a nack of "everything so far" must not concern anybody else.
        await using var channel = await _connection.CreateChannelAsync();
        var messages = new List<BasicGetResult>();
        while (await channel.BasicGetAsync(queue, autoAck: false) is { } message)
            messages.Add(message);
        if (messages.Count > 0)
        {
            await channel.BasicNackAsync(messages[^1].DeliveryTag, multiple: true, requeue: true);
            // Nobody answers a nack. The answer to what comes after it says that they are back: whoever looks next sees
            // them all.
            await channel.QueueDeclarePassiveAsync(queue);
        }

        return messages;
    }

    /// <summary>A queue that gets a copy of everything that goes through the exchanges from now on.</summary>
    public async Task<string> ListenAsync(params IEnumerable<string> exchanges)
    {
        var queue = $"listener-{Guid.NewGuid():N}";
        await AloneAsync(() =>
            _channel.QueueDeclareAsync(queue, durable: true, exclusive: false, autoDelete: false, Quorum)
        );
        foreach (var exchange in exchanges)
            await AloneAsync(async () =>
            {
                await _channel.ExchangeDeclareAsync(exchange, ExchangeType.Fanout, durable: true);
                await _channel.QueueBindAsync(queue, exchange, "");
                return true;
            });
        return queue;
    }

    /// <summary>The same for a message type.</summary>
    public Task<string> ListenAsync<T>() => ListenAsync(MessageName.ExchangeOf(typeof(T)));

    /// <summary>Removes the virtual host with everything in it.</summary>
    public async ValueTask DisposeAsync()
    {
        await _channel.DisposeAsync();
        await _connection.DisposeAsync();
        await Management.DeleteVirtualHostAsync(Options.VirtualHost, CancellationToken.None);
        Management.Dispose();
        _one.Dispose();
    }

    private static byte[] WithoutId(byte[] envelope)
    {
        var node = JsonNode.Parse(envelope)!.AsObject();
        node.Remove("messageId");
        return JsonSerializer.SerializeToUtf8Bytes(node);
    }

    // A channel is not made for two callers at once, and tests of one fixture may run side by side.
    private async Task<T> AloneAsync<T>(Func<Task<T>> action)
    {
        await _one.WaitAsync();
        try
        {
            return await action();
        }
        finally
        {
            _one.Release();
        }
    }
}

/// <summary>How a test publishes a message by hand.</summary>
public sealed record ByHand
{
    /// <summary>The message id; null leaves it out. A new one unless said otherwise.</summary>
    public Guid? Id { get; init; } = Guid.NewGuid();

    /// <summary>The correlation id; none unless said otherwise.</summary>
    public Guid? CorrelationId { get; init; }

    /// <summary>1 to 9; null is the broker's normal.</summary>
    public byte? Priority { get; init; }

    /// <summary>Transport headers.</summary>
    public Dictionary<string, object?>? Headers { get; init; }

    /// <summary>For exchanges that are no fan-outs.</summary>
    public string RoutingKey { get; init; } = "";
}
