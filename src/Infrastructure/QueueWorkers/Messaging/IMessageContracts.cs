namespace QueueWorkers.Messaging;

/// <summary>The message types that the running version knows; implemented once by the application.</summary>
public interface IMessageContracts
{
    /// <summary>The names of all of them.</summary>
    IReadOnlyCollection<string> Names { get; }

    /// <summary>The type of a name such as <c>Shop.Contracts:ParcelSent</c>; null when this version has none.</summary>
    Type? Find(string messageType);
}
