using System.Net.Sockets;
using System.Text.Json;
using QueueWorkers.Messaging;
using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;

namespace QueueWorkers.Outbox.Relaying.Publishing;

/// <summary>
/// Publishes batches of outbox rows on a channel of its own and says for each row what became of it. Not for use by two
/// callers at once.
/// </summary>
internal sealed class RelayPublisher(BrokerConnection broker, TimeSpan confirmTimeout) : IAsyncDisposable
{
    // Confirms without the client's tracking, which costs a task, a dictionary entry and a header per message; the
    // relay bounds what is outstanding itself.
    private static readonly CreateChannelOptions WithConfirms = new(
        publisherConfirmationsEnabled: true,
        publisherConfirmationTrackingEnabled: false,
        outstandingPublisherConfirmationsRateLimiter: null
    );

    // The broker's own default limit. A larger body would close the channel, after a transfer for nothing, under
    // everybody who is in flight with it.
    private const int LargestBody = 16 * 1024 * 1024;

    // Channels of a silent broker: to close one asks it and waits for its answer.
    private readonly List<Task> _closing = [];
    private IChannel? _channel;
    private PublishConfirms? _confirms;
    private uint _frameMax;

    /// <summary>
    /// Opens the channel. Call it before taking what others wait for: a silent broker keeps it for as long as its client
    /// is patient.
    /// </summary>
    public Task OpenAsync(CancellationToken cancellationToken) => OpenChannelAsync(cancellationToken);

    /// <summary>Publishes all, pipelined, and awaits all confirms.</summary>
    public async Task<PublishOutcome[]> PublishAsync(
        IReadOnlyList<OutboxMessage> messages,
        CancellationToken cancellationToken
    )
    {
        var outcomes = new PublishOutcome[messages.Count];
        for (var i = 0; i < outcomes.Length; i++)
        {
            outcomes[i] =
                messages[i].Body.Length <= LargestBody
                    ? PublishOutcome.Unsent
                    : PublishOutcome.Refused(
                        $"The body is {messages[i].Body.Length} bytes, larger than the broker's limit of {LargestBody}"
                    );
        }

        int[] sendable =
        [
            .. Enumerable.Range(0, outcomes.Length).Where(i => outcomes[i].Status == PublishStatus.Unsent),
        ];
        var spans = SendSpans.Begin(messages);
        try
        {
            if (sendable.Length > 0)
                await PublishAsync(messages, outcomes, sendable, cancellationToken);
            return outcomes;
        }
        finally
        {
            spans?.End(outcomes);
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_channel is not null)
            await _channel.DisposeAsync();
        await Task.WhenAll(_closing);
    }

    // A message the broker cannot accept at all (no such exchange, too large) closes the channel, and with it fails
    // whatever was outstanding.
    // Halving finds the culprit in a few rounds, and everyone else gets through.
    private async Task PublishAsync(
        IReadOnlyList<OutboxMessage> messages,
        PublishOutcome[] outcomes,
        int[] which,
        CancellationToken cancellationToken
    )
    {
        var channel = await OpenChannelAsync(cancellationToken);
        var published = which.Length;
        try
        {
            published = await PublishAndWaitAsync(channel, messages, outcomes, which, cancellationToken)
                .WaitAsync(confirmTimeout, cancellationToken);
        }
        catch (TimeoutException)
        {
            // The broker is silent. Nobody knows what arrived: the rows stay, the channel goes, and a second copy is
            // dropped by the idempotency table.
            _channel = null;
            _closing.RemoveAll(c => c.IsCompletedSuccessfully);
            _closing.Add(channel.DisposeAsync().AsTask());
            foreach (var i in which)
            {
                if (outcomes[i].Status == PublishStatus.Unsent)
                    outcomes[i] = PublishOutcome.Silent;
            }
        }
#pragma warning disable CA1031 // Closed while publishing: the client throws whatever it came upon first. What has no outcome by then is looked at below.
        catch (Exception) when (!channel.IsOpen && !cancellationToken.IsCancellationRequested)
#pragma warning restore CA1031
        { }

        if (channel.IsOpen && published < which.Length)
        {
            // The client gave up in the middle of a message. Nobody has to know what that left in the channel: the
            // others go out on a new one.
            _channel = null;
            await channel.DisposeAsync();
            if (published + 1 < which.Length)
                await PublishAsync(messages, outcomes, which[(published + 1)..], cancellationToken);
            return;
        }

        if (channel.IsOpen || channel.CloseReason is not { Initiator: ShutdownInitiator.Peer } reason)
            return;

        var unsettled = Array.FindAll(which, i => outcomes[i].Status == PublishStatus.Unsent);
        var connection = await broker.OpenAsync(cancellationToken);
        if (unsettled.Length == 0 || !connection.IsOpen || reason.ReplyCode is Constants.ConnectionForced)
            return;
        if (unsettled.Length == 1)
        {
            outcomes[unsettled[0]] = PublishOutcome.Refused($"{reason.ReplyCode} {reason.ReplyText}");
            return;
        }

        var half = unsettled.Length / 2;
        await PublishAsync(messages, outcomes, unsettled[..half], cancellationToken);
        await PublishAsync(messages, outcomes, unsettled[half..], cancellationToken);
    }

    // Returns how many went out. Fewer than all means that the next one cannot be encoded: it has its outcome, and
    // those before it have been waited for, so that they are not sent again.
    private async Task<int> PublishAndWaitAsync(
        IChannel channel,
        IReadOnlyList<OutboxMessage> messages,
        PublishOutcome[] outcomes,
        int[] which,
        CancellationToken cancellationToken
    )
    {
        var confirms = _confirms!;
        confirms.Expect(messages, outcomes, which, await channel.GetNextPublishSequenceNumberAsync(cancellationToken));
        var published = 0;
        for (; published < which.Length; published++)
        {
            var message = messages[which[published]];
            try
            {
                await PublishAsync(channel, message, _frameMax, cancellationToken);
            }
            catch (Exception fault) when (channel.IsOpen && IsOfTheMessage(fault))
            {
                confirms.ExpectOnly(published);
                outcomes[which[published]] = PublishOutcome.Refused(WhyNotEncoded(message, fault));
                break;
            }
        }

        if (channel.IsOpen)
            await confirms.Done;
        return published;
    }

    // With the channel open everything but a lost connection, or the end of the process, is about this message and will
    // be the same next time.
    private static bool IsOfTheMessage(Exception fault) =>
        fault
            is not (
                OperationCanceledException
                or TimeoutException
                or IOException
                or SocketException
                or ObjectDisposedException
                or RabbitMQClientException
            )
        || fault is WireFormattingException;

    private static string WhyNotEncoded(OutboxMessage message, Exception fault)
    {
        // The client quotes the text itself, but does not say which one it is.
        var headers = fault is ArgumentException or WireFormattingException ? HeadersOf(message.Headers) : null;
        return AmqpLimits.TooLong(message, headers?.Keys ?? Enumerable.Empty<string>()) is { Length: > 0 } tooLong
            ? $"Cannot be encoded: {tooLong} longer than the {AmqpLimits.ShortString} bytes of AMQP"
            : $"Cannot be encoded: {fault.GetType().Name}: {fault.Message}";
    }

    private async Task<IChannel> OpenChannelAsync(CancellationToken cancellationToken)
    {
        if (_channel is { IsOpen: true } open)
            return open;
        if (_channel is { } lost)
        {
            _channel = null;
            await lost.DisposeAsync();
        }

        var connection = await broker.OpenAsync(cancellationToken);
        Failpoint.Hit("relay.before_channel", Outside.Broker);
        var channel = await connection.CreateChannelAsync(WithConfirms, cancellationToken);
        _confirms = new PublishConfirms(channel);
        _frameMax = connection.FrameMax;
        return _channel = channel;
    }

    private static ValueTask PublishAsync(
        IChannel channel,
        OutboxMessage message,
        uint frameMax,
        CancellationToken cancellationToken
    )
    {
        var headers = HeadersOf(message.Headers);
        AmqpLimits.RequireFrame(message.Headers, headers, frameMax);
        var properties = new BasicProperties
        {
            Persistent = true,
            MessageId = message.MessageId.ToString(),
            ContentType = message.ContentType,
            CorrelationId = message.CorrelationId,
            Headers = headers,
        };
        if (message.Priority is { } priority)
            properties.Priority = (byte)priority;
        // No expiration: the broker would drop the message without a word. The envelope carries the time, and the step
        // records what came too late.
        Failpoint.Hit("relay.before_publish", Outside.Broker);
        return channel.BasicPublishAsync(
            message.Exchange,
            message.RoutingKey,
            message.Mandatory,
            properties,
            message.Body,
            cancellationToken
        );
    }

    /// <summary>Transport headers from their JSON object; null when there are none.</summary>
    internal static Dictionary<string, object?>? HeadersOf(string json)
    {
        if (json.Length <= 2)
            return null;

        var headers = new Dictionary<string, object?>();
        using var document = JsonDocument.Parse(json);
        foreach (var header in document.RootElement.EnumerateObject())
        {
            headers[header.Name] = header.Value.ValueKind switch
            {
                JsonValueKind.String => header.Value.GetString(),
                JsonValueKind.Number when header.Value.TryGetInt32(out var number) => number,
                JsonValueKind.Number when header.Value.TryGetInt64(out var number) => number,
                JsonValueKind.Number => header.Value.GetDouble(),
                JsonValueKind.True => true,
                JsonValueKind.False => false,
                _ => header.Value.ToString(),
            };
        }

        return headers;
    }
}
