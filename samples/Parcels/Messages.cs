namespace Parcels;

// The first Guid of a message is what it is about, its subject: each step does its work once for each subject.

/// <summary>A parcel was accepted.</summary>
public sealed record ParcelAccepted(Guid ParcelId);

/// <summary>A parcel has its label.</summary>
public sealed record ParcelLabelled(Guid ParcelId, string TrackingNumber);

/// <summary>A parcel was handed to the carrier.</summary>
public sealed record ParcelHandedOver(Guid ParcelId, string TrackingNumber);

/// <summary>The summary of a day is due; published by the schedule.</summary>
public sealed record SummaryDue(Guid FiringId, DateTimeOffset DueAt);
